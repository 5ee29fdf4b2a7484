# SPDX-License-Identifier: MPL-2.0
"""What the two networks of the default pair say of real heads, plain and mirrored: labels where all agree.

    PYTHONPATH=.setup/truth/python python3 train/pose/teach.py DATA --rear WHENET.onnx --front MB1.onnx --out real.npz

DATA is the folder that train/detector learns from. Of each head: the picture, the box, the rotation matrix, whether it is
a label, and the side of the head that is seen: 1 the front, -1 the back, 0 unknown. WHENet tells the sides; its yaw is
far off behind, but it seldom takes a back for a front.
"""

import argparse
import json
import pathlib
import sys

import cv2
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "truth"))
from geometry import apart, middle, rotation  # noqa: E402
from networks import front_answer, rear_answer, session  # noqa: E402

# Longer side of the smallest head that is used, in pixels, and of the smallest whose rotation may be a label.
SMALLEST, SMALLEST_LABEL = 16, 36
# How far two answers may be apart, in degrees, to be called agreed.
SAME_NETWORK, BOTH_NETWORKS = 12, 25
# The front model underestimates large yaws; beyond this one its answer is no label.
WIDEST = 50
# Up to the first |yaw| of WHENet a head is seen from the front, from the second on from behind.
FRONT, BACK = 60, 120
# Its pitch is this much too low (truth/README.md).
PITCH = 3.0
MIRROR = np.diag([-1.0, 1.0, 1.0])


def answers(network, answer, image, box):
    """The rotation of the head and that of the mirrored head, mirrored back."""
    plain = rotation(*answer(network, image, box))
    width = image.shape[1]
    other = rotation(*answer(network, np.ascontiguousarray(image[:, ::-1]), (width - box[2], box[1], width - box[0], box[3])))
    return plain, MIRROR @ other @ MIRROR


def side_seen(plain, other):
    facing = [np.degrees(np.arccos(np.clip(pose[2, 2], -1, 1))) for pose in (plain, other)]
    return 1 if max(facing) <= FRONT else -1 if min(facing) >= BACK else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--rear", required=True, help="WHENet")
    parser.add_argument("--front", required=True, help="3DDFA_V2 mb1")
    parser.add_argument("--out", required=True)
    parser.add_argument("--each", type=int, default=8, help="heads of one picture at most")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rear, front = session(options.rear), session(options.front)
    files, boxes, poses, known, sides = [], [], [], [], []
    pictures = json.loads((options.data / "annotations.json").read_text())
    for n, picture in enumerate(p for p in pictures if p["split"] == "train" and p["boxes"]):
        heads = [b for b in picture["boxes"] if not b[4] and max(b[2], b[3]) >= SMALLEST]
        heads = sorted(heads, key=lambda b: -b[2] * b[3])[: options.each]
        image = cv2.imread(str(options.data / picture["file"])) if heads else None
        for x, y, w, h, _ in heads:
            box = x, y, x + w, y + h
            front_plain, front_other = answers(front, front_answer, image, box)
            rear_plain, rear_other = answers(rear, rear_answer, image, box)
            pose = middle(front_plain, front_other)
            yaw = abs(np.degrees(np.arctan2(pose[0, 2], pose[2, 2])))
            known.append(
                max(w, h) >= SMALLEST_LABEL
                and yaw <= WIDEST
                and apart(front_plain, front_other) <= SAME_NETWORK
                and max(apart(rear_plain, pose), apart(rear_other, pose)) <= BOTH_NETWORKS
            )
            sides.append(side_seen(rear_plain, rear_other))
            files.append(picture["file"])
            boxes.append(box)
            poses.append(rotation(0, PITCH, 0) @ pose)
        if n % 100 == 0:
            print(f"\rteach: {n} pictures, {len(files)} heads, {sum(known)} labelled, {sides.count(-1)} from behind", end="", flush=True)
    columns = {"picture": np.array(files), "box": np.array(boxes, np.float32), "pose": np.array(poses, np.float32)}
    np.savez_compressed(options.out, **columns, known=np.array(known), side=np.array(sides, np.int8))
    print(f"\nteach: {options.out}: {len(files)} heads, {sum(known)} labelled, {sides.count(-1)} from behind")


if __name__ == "__main__":
    main()
