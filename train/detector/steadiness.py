# SPDX-License-Identifier: MPL-2.0
"""How steady the boxes of detectors are on a clip, and in how many frames they find a head.

    train/venv/bin/python train/detector/steadiness.py CLIP --heads models/headnet.onnx --rows YOLOX.onnx

Of each head in three frames in a row (boxes that overlap by half): how far the middle box is from the mean of the other
two, in head sizes, its centre and the logarithm of its size. Steady motion cancels; noise remains. Both detectors are
judged on the same heads: those that both find in all three frames.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from evaluate import onnx_detector, rows_detector


def iou(a, b):
    """All pairs."""
    upper, lower = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(lower - upper, 0, None), 2)
    area = lambda boxes: np.prod(boxes[:, 2:] - boxes[:, :2], 1)  # noqa: E731
    return shared / (area(a)[:, None] + area(b)[None] - shared)


def best(box, boxes):
    """The box that overlaps most, if by half."""
    if not len(boxes):
        return None
    overlaps = iou(box[None], boxes)[0]
    return boxes[overlaps.argmax()] if overlaps.max() > 0.5 else None


def chain(box, frames, n):
    """The same head in frames n - 1, n and n + 1."""
    found = [best(box, frames[n + step]) for step in (-1, 0, 1)]
    return None if any(f is None for f in found) else np.array(found)


def noise(three):
    centre, size = (three[:, :2] + three[:, 2:]) / 2, three[:, 2:] - three[:, :2]
    side = np.sqrt(np.prod(size[1]))
    off = centre[1] - (centre[0] + centre[2]) / 2
    grown = np.log(size[1]) - (np.log(size[0]) + np.log(size[2])) / 2
    return np.linalg.norm(off) / side, np.linalg.norm(grown)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--heads", type=Path, required=True, help="headnet.onnx")
    parser.add_argument("--rows", type=Path, required=True, help="a detector with rows and a fixed input, such as YOLOX")
    parser.add_argument("--size", type=int, default=640, help="longer side of HeadNet's input")
    parser.add_argument("--threshold", type=float, nargs=2, default=[0.5, 0.35], help="scores of the two")
    parser.add_argument("--frames", type=int, default=300)
    args = parser.parse_args()
    detectors = onnx_detector(args.heads, args.size), rows_detector(args.rows)
    clip, found = cv2.VideoCapture(str(args.clip)), ([], [])
    while len(found[0]) < args.frames:
        more, image = clip.read()
        if not more:
            break
        for detect, threshold, frames in zip(detectors, args.threshold, found):
            boxes, scores = detect(image)
            frames.append(boxes[scores > threshold])
    values = ([], [])
    for n in range(1, len(found[0]) - 1):
        for box in found[0][n]:
            both = [chain(box, frames, n) for frames in found]
            if all(three is not None for three in both):
                for three, of in zip(both, values):
                    of.append(noise(three))
    for name, frames, of in zip(("heads", "rows"), found, values):
        with_head = np.mean([len(boxes) > 0 for boxes in frames])
        centre, size = np.median(of, 0) if of else (np.nan, np.nan)
        print(f"{name}: a head in {with_head:.2f} of {len(frames)} frames, {np.mean([len(b) for b in frames]):.1f} a frame; "
              f"noise of {len(of)} heads (median): centre {centre:.4f}, size {size:.4f}")


if __name__ == "__main__":
    main()
