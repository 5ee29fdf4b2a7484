# SPDX-License-Identifier: MPL-2.0
"""How steady the poses of several models are on one clip, from what the element wrote of it.

    for mode in turnnet whenet; do
      gst-launch-1.0 filesrc location=CLIP ! decodebin ! videoconvert ! dmheadpose tracking=true mode=$mode \\
        ! dmheadposejson ! filesink location=$mode.jsonl
    done
    python3 train/pose/steadiness.py *.jsonl

Of each head in three frames in a row: the angle between its pose in the middle frame and the mean of the poses before
and after. A steady turn cancels; noise remains. Boxes and ids do not depend on the pose model, so that all models are
judged on the same heads.
"""

import argparse
import json
from pathlib import Path

import numpy as np


def poses(path):
    """Per frame the rotation of each head, by id."""
    frames = [json.loads(line)["heads"] for line in path.read_text().splitlines()]
    return [{head["id"]: np.reshape(head["rotation"], (3, 3)) for head in heads if "rotation" in head} for heads in frames]


def between(a, b):
    u, _, v = np.linalg.svd(a + b)
    return u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v


def apart(a, b):
    return np.degrees(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1)))


def noise(frames):
    """Of each head that is in three frames in a row: frame, id and degrees."""
    return {
        (n, head): apart(pose, between(frames[n - 1][head], frames[n + 1][head]))
        for n in range(1, len(frames) - 1)
        for head, pose in frames[n].items()
        if head in frames[n - 1] and head in frames[n + 1]
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="what dmheadposejson wrote of one clip, a file for each model")
    files = parser.parse_args().files
    found = [noise(poses(file)) for file in files]
    shared = sorted(set.intersection(*map(set, found)))
    for file, of in zip(files, found):
        degrees = np.array([of[key] for key in shared])
        print(f"{file.stem}: {len(shared)} heads, degrees: median {np.median(degrees):.2f}, mean {degrees.mean():.2f}")


if __name__ == "__main__":
    main()
