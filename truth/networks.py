# SPDX-License-Identifier: MPL-2.0
"""The two pose networks on the heads of a heads.csv, as the plugin runs them; answers are kept in a file.

    python3 truth/networks.py HEADS.csv --rear WHENET.onnx --front MB1.onnx --out ANSWERS.npz
"""

import argparse
import csv
import pathlib

import cv2
import numpy as np
import onnxruntime

import geometry

# `param_mean_std_62d_120x120` of 3DDFA_V2: the rotation's first two rows.
MEAN = np.array([[3.4926363e-4, 2.5279013e-7, -6.875198e-7], [-6.295513e-7, 5.7572004e-4, -5.0853912e-5]])
DEVIATION = np.array([[1.7632153e-4, 6.7379434e-5, 4.470849e-4], [1.231377e-4, 4.4930217e-5, 7.923671e-5]])


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def margins(box, size):
    """DMHead's crop: a tenth above and below, a fifth at the sides, in its order."""
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    y0 = max(0, y0 - h / 10)
    y1 = min(size[0], y1 + abs(y0 - y1) / 10)
    x0 = max(0, x0 - w / 5)
    x1 = min(size[1], x1 + abs(x0 - x1) / 5)
    return int(x0), int(y0), int(x1), int(y1)


def cut(box, size):
    """The corners in whole pixels, within the picture."""
    return [int(np.clip(int(v), 0, limit)) for v, limit in zip(box, (size[1], size[0]) * 2)]


def rear_answer(network, image, box):
    """WHENet's yaw, pitch and roll."""
    x0, y0, x1, y1 = margins(cut(box, image.shape[:2]), image.shape[:2])
    crop = cv2.resize(image[y0:y1, x0:x1], (224, 224), interpolation=cv2.INTER_LINEAR)
    batch = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)[None], np.float32)
    yaw, roll, pitch = network.run(None, {network.get_inputs()[0].name: batch})[0][0]
    return yaw, pitch, roll


def front_answer(network, image, box):
    """3DDFA_V2's yaw, pitch and roll, of the square of the longer side."""
    x0, y0, x1, y1 = cut(box, image.shape[:2])
    side = max(x1 - x0, y1 - y0)
    grow_x, grow_y = (side - (x1 - x0)) / 2, (side - (y1 - y0)) / 2
    x0, y0, x1, y1 = cut((max(0, x0 - grow_x), max(0, y0 - grow_y), x1 + grow_x, y1 + grow_y), image.shape[:2])
    crop = cv2.resize(image[y0:y1, x0:x1], (120, 120), interpolation=cv2.INTER_LINEAR)
    batch = ((crop.astype(np.float32) - 127.5) / 128).transpose(2, 0, 1)[None]
    values = network.run(None, {network.get_inputs()[0].name: np.ascontiguousarray(batch)})[0][0]
    first, second = values[[0, 1, 2, 4, 5, 6]].reshape(2, 3) * DEVIATION + MEAN
    return decode(first, second)


def decode(first, second):
    """Angles of the rotation whose first two rows these are, up to scale (src/estimator/pose/axes.rs)."""
    x = first / np.linalg.norm(first)
    z = np.cross(x, second)
    z /= np.linalg.norm(z)
    y = np.cross(z, x)
    down = np.diag([1.0, -1.0, 1.0])
    return geometry.angles(down @ np.array([x, y, z]) @ down)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("heads", type=pathlib.Path)
    parser.add_argument("--rear", required=True, help="WHENet")
    parser.add_argument("--front", required=True, help="3DDFA_V2 mb1")
    parser.add_argument("--out", required=True)
    parser.add_argument("--split", help="only the heads of this split")
    parser.add_argument("--mirrored", action="store_true", help="the mirrored pictures too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rear, front = session(options.rear), session(options.front)
    with open(options.heads, newline="") as file:
        rows = [row for row in csv.DictReader(file) if not options.split or row["split"] == options.split]
    answers = {"rear": [], "front": []}
    if options.mirrored:
        answers |= {"rear_mirrored": [], "front_mirrored": []}
    for row in rows:
        image = cv2.imread(str(options.heads.parent / row["file"]))
        x, y, w, h = (float(row[key]) for key in ("x", "y", "w", "h"))
        answers["rear"].append(rear_answer(rear, image, (x, y, x + w, y + h)))
        answers["front"].append(front_answer(front, image, (x, y, x + w, y + h)))
        if options.mirrored:
            image = np.ascontiguousarray(image[:, ::-1])
            box = image.shape[1] - x - w, y, image.shape[1] - x, y + h
            answers["rear_mirrored"].append(rear_answer(rear, image, box))
            answers["front_mirrored"].append(front_answer(front, image, box))
    np.savez_compressed(
        options.out, truth=np.array([[float(row[key]) for key in ("yaw", "pitch", "roll")] for row in rows]),
        person=np.array([row.get("person", "") for row in rows]),
        hair=np.array([row.get("hair", "") for row in rows]),
        split=np.array([row.get("split", "") for row in rows]),
        **{key: np.array(value) for key, value in answers.items()})


if __name__ == "__main__":
    main()
