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
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "truth"))
from geometry import apart, middle  # noqa: E402
from turns import heads  # noqa: E402


def noise(path):
    """Of each head that is in three frames in a row: degrees, by frame and id."""
    poses = {key: pose for key, (pose, _) in heads(path).items()}
    beside = {(n, head): [(n - 1, head), (n + 1, head)] for n, head in poses}
    return {key: apart(poses[key], middle(*map(poses.get, both))) for key, both in beside.items() if poses.keys() >= set(both)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="what dmheadposejson wrote of one clip, a file for each model")
    files = parser.parse_args().files
    found = [noise(file) for file in files]
    shared = sorted(set.intersection(*map(set, found)))
    for file, of in zip(files, found):
        degrees = np.array([of[key] for key in shared])
        print(f"{file.stem}: {len(shared)} heads, degrees: median {np.median(degrees):.2f}, mean {degrees.mean():.2f}")


if __name__ == "__main__":
    main()
