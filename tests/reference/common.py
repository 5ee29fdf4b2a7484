# SPDX-License-Identifier: MPL-2.0
"""Shared by the reference scripts: paths, pictures, crops, and writing JSON."""

import hashlib
import json
import pathlib
import platform

import cv2

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PICTURES = ROOT / ".setup" / "pictures"
MODELS = ROOT / "models"
NAMES = ("astronaut.png", "multi_face.png", "single_face.png")
CROP_SIZE = 224


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read_picture(name):
    """A fetched picture as BGR."""
    bgr = cv2.imread(str(PICTURES / name), cv2.IMREAD_COLOR)
    if bgr is None:
        raise SystemExit(f"expected {PICTURES / name}, found no picture. Run: "
                         "python3 setup/fetch.py setup/downloads.toml --group test")
    return bgr


def crop_rgb(bgr, corners):
    """The part between two corners (x1, y1 not included), stretched to 224x224, as RGB bytes."""
    x0, y0, x1, y1 = corners
    resized = cv2.resize(bgr[y0:y1, x0:x1], (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(resized, cv2.COLOR_BGR2RGB)


def angles(row):
    """A yaw, roll, pitch row as named numbers."""
    return {name: round(float(value), 4) for name, value in zip(("yaw", "roll", "pitch"), row)}


def write(name, made_by, versions, content):
    about = {"made_by": f"tests/reference/{made_by}", "machine": platform.machine(),
             "python": platform.python_version(), **versions}
    with open(HERE / name, "w") as file:
        json.dump({"about": about, **content}, file, indent=1)
        file.write("\n")
    print(f"wrote tests/reference/{name}")
