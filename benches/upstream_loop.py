# SPDX-License-Identifier: MPL-2.0
"""DMHead's demo loop, for comparison: OpenCV and ONNX Runtime in Python, one frame after the other.

Rewritten from the description of the demo: resize, detector, boxes above the threshold, margins, crops,
one batch of crops through the pose model. It leaves out decoding, drawing and the window. Boxes are mapped to the
frame, which the demo omits. With --rear-model two networks run on every head, as in the demo's fused file: 3DDFA_V2 (--pose-model),
which takes the square of the box, and WHENet.

Reads commands from standard input, one JSON object per line, and replies to each with one:
  {"clip": {"file", "width", "height", "frames"}}     raw BGR frames to process
  {"run": {"threads", "spinning", "frames"}}          -> {"wall", "cpu"} in seconds; threads 0 and spinning
                                                         true are ONNX Runtime's defaults, as the demo's
  {"heads": true}                                     -> [x0, y0, x1, y1, yaw, pitch, roll] of each frame's heads
"""

import argparse
import json
import sys
import time

import cv2
import numpy as np
import onnxruntime

LONG_SIDE, GRANULARITY = 640, 32
NMS_IOU = 0.3
HEADNET_NMS_IOU = 0.45
HEADNET_VOTE_IOU = 0.6
TDDFA_SIDE = 120
# Face to head, in face widths and heights.
SIDE, TOP, BOTTOM = 0.41, 0.40, 0.13


def session(path, threads, spinning):
    options = onnxruntime.SessionOptions()
    if threads:
        options.intra_op_num_threads = threads
    if not spinning:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def tensor(picture):
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32)


def letterbox(bgr):
    """What takes boxes of the input back to the picture, and the input."""
    height, width = bgr.shape[:2]
    scale = LONG_SIDE / max(width, height)
    w, h = (int(np.floor(side * scale + 0.5)) for side in (width, height))
    padded = np.zeros([-(-side // GRANULARITY) * GRANULARITY for side in (h, w)] + [3], np.uint8)
    padded[:h, :w] = cv2.resize(bgr, (w, h))
    return np.array([width / w, height / h] * 2), padded


class Rows:
    """Detectors with output [N, 7]: batch, class, score, box in pixels of the input."""

    def __init__(self, model):
        self.model, self.name = model, model.get_inputs()[0].name
        self.height, self.width = model.get_inputs()[0].shape[2:]

    def __call__(self, bgr):
        height, width = bgr.shape[:2]
        rows = self.model.run(None, {self.name: tensor(cv2.resize(bgr, (self.width, self.height)))})[0]
        rows = rows[(rows[:, 1] == 1) & (rows[:, 2] > 0.35)]
        return rows[:, 3:7] * np.array([width / self.width, height / self.height] * 2, np.float32)


class YuNet:
    """Faces, enlarged to heads; letterbox input."""

    def __init__(self, model):
        self.model, self.name = model, model.get_inputs()[0].name
        self.outputs = [output.name for output in model.get_outputs()]

    def __call__(self, bgr):
        scale, padded = letterbox(bgr)
        outputs = dict(zip(self.outputs, self.model.run(None, {self.name: tensor(padded)})))
        faces, scores = [], []
        for stride in (8, 16, 32):
            cls, obj, bbox = (outputs[f"{kind}_{stride}"][0] for kind in ("cls", "obj", "bbox"))
            score = np.sqrt(np.clip(cls, 0, 1) * np.clip(obj, 0, 1))[:, 0]
            cells = np.flatnonzero(score > 0.5)
            rows, columns = np.divmod(cells, padded.shape[1] // stride)
            centre = (np.stack([columns, rows], 1) + bbox[cells, :2]) * stride
            size = np.exp(bbox[cells, 2:4]) * stride
            faces.append(np.concatenate([centre - size / 2, size], 1))
            scores.append(score[cells])
        faces, scores = np.concatenate(faces), np.concatenate(scores)
        kept = cv2.dnn.NMSBoxes(faces.tolist(), scores.tolist(), 0.5, NMS_IOU)
        faces = faces[np.asarray(kept, int).flatten()]
        x, y, fw, fh = (faces * scale).T
        return np.stack([x - SIDE * fw, y - TOP * fh, x + (1 + SIDE) * fw, y + (1 + BOTTOM) * fh], 1)


class HeadNet:
    """Heads from every side; letterbox input."""

    def __init__(self, model):
        self.model, self.name = model, model.get_inputs()[0].name

    def __call__(self, bgr):
        scale, padded = letterbox(bgr)
        boxes, scores = [], []
        for stride, cells in zip((8, 16, 32), self.model.run(None, {self.name: tensor(padded)})):
            cells = cells[0]
            rows, columns = np.nonzero(cells[0] > 0)
            x, y, w, h = cells[1:, rows, columns]
            centre = np.stack([columns + x, rows + y], 1) * stride
            size = np.exp(np.stack([w, h], 1)) * stride
            boxes.append(np.concatenate([centre - size / 2, size], 1))
            scores.append(cells[0, rows, columns])
        boxes, scores = np.concatenate(boxes), np.concatenate(scores)
        kept = np.asarray(cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), 0.0, HEADNET_NMS_IOU), int).flatten()
        corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
        return np.array([self.vote(corners[best], corners, scores) for best in kept]).reshape(-1, 4) * scale

    @staticmethod
    def vote(box, boxes, scores):
        """The mean of the boxes that overlap this one."""
        shared = np.prod(np.clip(np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2]), 0, None), 1)
        area = np.prod(boxes[:, 2:] - boxes[:, :2], 1)
        agree = shared >= HEADNET_VOTE_IOU * (area + np.prod(box[2:] - box[:2]) - shared)
        weights = agree / (1 + np.exp(-scores))
        return weights @ boxes / weights.sum()


def square(bgr, x, y, side):
    """A crop for 3DDFA_V2; what lies outside of the picture is black."""
    scale = TDDFA_SIDE / side
    to_crop = np.array([[scale, 0, TDDFA_SIDE / 2 - x * scale], [0, scale, TDDFA_SIDE / 2 - y * scale]])
    crop = cv2.warpAffine(bgr, to_crop, (TDDFA_SIDE, TDDFA_SIDE))
    return (crop.transpose(2, 0, 1) - 127.5) / 128


class Loop:
    def __init__(self, detector, pose, rear, threads, spinning):
        model = session(detector, threads, spinning)
        kinds = {1: Rows, 3: HeadNet}
        self.detect = kinds.get(len(model.get_outputs()), YuNet)(model)
        self.front = session(pose, threads, spinning) if rear else None
        self.pose = session(rear or pose, threads, spinning)
        self.name = self.pose.get_inputs()[0].name

    def __call__(self, bgr):
        height, width = bgr.shape[:2]
        boxes, crops, squares = [], [], []
        for x0, y0, x1, y1 in self.detect(bgr):
            x0, y0 = max(int(x0), 0), max(int(y0), 0)
            x1, y1 = min(int(x1), width), min(int(y1), height)
            if x1 <= x0 or y1 <= y0:
                continue
            boxes.append((x0, y0, x1, y1))
            w, h = x1 - x0, y1 - y0
            top = max(0, y0 - h / 10)
            bottom = min(height, y1 + abs(top - y1) / 10)
            left = max(0, x0 - w / 5)
            right = min(width, x1 + abs(left - x1) / 5)
            crop = cv2.resize(bgr[int(top):int(bottom), int(left):int(right)], (224, 224))
            crops.append(crop[..., ::-1].transpose(2, 0, 1))
            if self.front:
                squares.append(square(bgr, (x0 + x1) / 2, (y0 + y1) / 2, max(w, h)))
        if not crops:
            return []
        if self.front:
            self.front.run(None, {self.front.get_inputs()[0].name: np.asarray(squares, dtype=np.float32)})
        angles = self.pose.run(None, {self.name: np.asarray(crops, dtype=np.float32)})[0]
        return [(*box, float(yaw), float(pitch), float(roll))
                for box, (yaw, roll, pitch) in zip(boxes, angles)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--detector-model", required=True)
    parser.add_argument("--pose-model", required=True)
    parser.add_argument("--rear-model")
    arguments = parser.parse_args()
    loops, clip = {}, []

    def loop(threads, spinning):
        key = (threads, spinning)
        if key not in loops:
            loops[key] = Loop(arguments.detector_model, arguments.pose_model, arguments.rear_model, threads, spinning)
            loops[key](clip[0])
        return loops[key]

    for line in sys.stdin:
        command = json.loads(line)
        answer = {}
        if "clip" in command:
            c = command["clip"]
            shape = (c["frames"], c["height"], c["width"], 3)
            clip = np.fromfile(c["file"], np.uint8).reshape(shape)
        elif "run" in command:
            run = command["run"]
            work = loop(run["threads"], run["spinning"])
            work(clip[0])
            wall, cpu = time.perf_counter(), time.process_time()
            for number in range(run["frames"]):
                work(clip[number % len(clip)])
            answer = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        elif "heads" in command:
            answer = [loop(1, False)(frame) for frame in clip]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
