# SPDX-License-Identifier: MPL-2.0
"""Results of cv2.resize (INTER_LINEAR, 8-bit, 3 channels) for small generated pictures.

Needs numpy 2.4.6 and opencv-python-headless 5.0.0.93 (requirements.txt). Writes
resize_reference.json: source and target size of each case, the SHA-256 of the target's bytes (row
by row, channel 0 first), and the bytes themselves, in hexadecimal, if they are few.

The source: channel c at column x, row y is (37*x + 59*y + 83*c + 11*x*y + 7*x*x) & 255.
"""

import cv2
import numpy as np

from common import sha256, write

FORMULA = "(37*x + 59*y + 83*c + 11*x*y + 7*x*x) & 255"
FEW = 400  # bytes
# Source width, height, target width, height.
CASES = (
    # One pixel, one row, one column: nothing to blend with on a side.
    (1, 1, 1, 1), (1, 1, 5, 3), (2, 1, 7, 4), (1, 2, 4, 7), (2, 1, 1, 1), (3, 3, 1, 1),
    # Unchanged, and up by whole and odd factors.
    (5, 4, 5, 4), (2, 2, 4, 4), (2, 2, 3, 3), (3, 2, 10, 9), (5, 7, 8, 11), (7, 5, 7, 10),
    # Exactly by two in both directions, which OpenCV averages; and by two in one only.
    (8, 6, 4, 3), (2, 2, 1, 1), (8, 6, 4, 6), (8, 6, 8, 3), (8, 6, 4, 4), (9, 6, 4, 3),
    # Down by other factors: four source pixels of many count.
    (17, 13, 5, 4), (30, 20, 10, 10), (64, 48, 9, 7), (100, 3, 7, 2),
    # As for crops and detector inputs.
    (448, 448, 224, 224), (449, 447, 224, 224), (165, 170, 224, 224), (237, 205, 224, 224),
    (1, 300, 224, 224), (3, 2, 224, 224), (224, 224, 224, 224), (1000, 667, 640, 427),
    (572, 562, 640, 629), (1280, 720, 640, 360), (1919, 1079, 640, 360), (640, 480, 320, 256),
)


def source(width, height):
    y, x, c = np.indices((height, width, 3), dtype=np.uint32)
    return ((37 * x + 59 * y + 83 * c + 11 * x * y + 7 * x * x) & 255).astype(np.uint8)


def main():
    cases = []
    for sw, sh, dw, dh in CASES:
        made = cv2.resize(source(sw, sh), (dw, dh), interpolation=cv2.INTER_LINEAR).tobytes()
        case = {"source": [sw, sh], "target": [dw, dh], "sha256": sha256(made)}
        if len(made) <= FEW:
            case["bytes"] = made.hex()
        cases.append(case)
    write("resize_reference.json", "resize_reference.py",
          {"numpy": np.__version__, "opencv": cv2.__version__},
          {"formula": FORMULA, "cases": cases})


if __name__ == "__main__":
    main()
