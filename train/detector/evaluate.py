# SPDX-License-Identifier: MPL-2.0
"""Average precision of a detector on annotated pictures.

The detector is a function from a BGR picture to (boxes x0, y0, x1, y1, scores). All are judged by the same rule:
greedy matching by score at an IoU of 0.5, heads below `min_side` pixels and boxes with ignore = 1 neither count as
found nor as missed, nor what lies on them as false.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from data import load

VOTE_IOU = 0.6


def nms(boxes, scores, limit):
    order, kept = np.argsort(-scores, kind="stable"), []
    area = np.prod(boxes[:, 2:] - boxes[:, :2], 1)
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        upper = np.maximum(boxes[order, :2], boxes[best, :2])
        lower = np.minimum(boxes[order, 2:], boxes[best, 2:])
        shared = np.prod(np.clip(lower - upper, 0, None), 1)
        order = order[shared <= limit * (area[order] + area[best] - shared)]
    return np.array(kept, int)


def letterbox(image, long_side):
    """The picture in an input whose sides are multiples of 32, padded on the right and below, and its scale."""
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    w, h = round(width * scale), round(height * scale)
    out = np.zeros((-(-h // 32) * 32, -(-w // 32) * 32, 3), np.uint8)
    out[:h, :w] = cv2.resize(image, (w, h), interpolation=cv2.INTER_LINEAR)
    return out, np.array([w / width, h / height] * 2, np.float32)


def vote(boxes, scores, kept):
    """Each kept box becomes the mean, by score, of the boxes that overlap it by `VOTE_IOU` (as nms.rs does it)."""
    area = np.prod(boxes[:, 2:] - boxes[:, :2], 1)
    upper, lower = np.maximum(boxes[kept, None, :2], boxes[None, :, :2]), np.minimum(boxes[kept, None, 2:], boxes[None, :, 2:])
    shared = np.prod(np.clip(lower - upper, 0, None), 2)
    weights = (shared >= VOTE_IOU * (area[kept, None] + area[None] - shared)) * scores
    return weights @ boxes / weights.sum(1, keepdims=True)


def cells_to_boxes(cells, height, width, threshold, nms_iou, votes=True):
    """Decodes [cells, 5] (see model.py; score already a probability) of an input of this size."""
    boxes, scores, first = [], [], 0
    for stride in (8, 16, 32):
        rows, columns = height // stride, width // stride
        part = cells[first : first + rows * columns]
        first += rows * columns
        hit = np.nonzero(part[:, 0] > threshold)[0]
        corner = np.stack([hit % columns, hit // columns], 1)
        centre = (corner + part[hit, 1:3]) * stride
        half = np.exp(np.clip(part[hit, 3:5], -4, 6)) * stride / 2
        boxes.append(np.concatenate([centre - half, centre + half], 1))
        scores.append(part[hit, 0])
    boxes, scores = np.concatenate(boxes), np.concatenate(scores)
    kept = nms(boxes, scores, nms_iou)
    return vote(boxes, scores, kept) if votes else boxes[kept], scores[kept]


def torch_detector(net, long_side, threshold=0.02, nms_iou=0.45):
    import torch

    def detect(image):
        fitted, scale = letterbox(image, long_side)
        with torch.no_grad():
            outputs = net(torch.from_numpy(fitted.transpose(2, 0, 1)[None].astype(np.float32)))
        cells = torch.cat([o.flatten(2).transpose(1, 2) for o in outputs], 1)[0]
        cells[:, 0] = cells[:, 0].sigmoid()
        boxes, scores = cells_to_boxes(cells.numpy(), *fitted.shape[:2], threshold, nms_iou)
        return boxes / scale, scores

    return detect


def session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def onnx_detector(path, long_side, threshold=0.02, nms_iou=0.45):
    """The exported model."""
    run = session(path)
    name = run.get_inputs()[0].name

    def detect(image):
        fitted, scale = letterbox(image, long_side)
        maps = run.run(None, {name: fitted.transpose(2, 0, 1)[None].astype(np.float32)})
        cells = np.concatenate([m[0].reshape(5, -1).T for m in maps])
        cells[:, 0] = 1 / (1 + np.exp(-cells[:, 0]))
        boxes, scores = cells_to_boxes(cells, *fitted.shape[:2], threshold, nms_iou)
        return boxes / scale, scores

    return detect


def yunet_detector(path, long_side, threshold=0.02, nms_iou=0.3):
    """YuNet, its faces grown to heads as the element does it."""
    from yunet import BOTTOM, SIDE, TOP

    run = session(path)
    name = run.get_inputs()[0].name
    names = [f"{kind}_{stride}" for stride in (8, 16, 32) for kind in ("cls", "obj", "bbox")]

    def detect(image):
        fitted, scale = letterbox(image, long_side)
        outputs = run.run(names, {name: fitted.transpose(2, 0, 1)[None].astype(np.float32)})
        cells = []
        for cls, obj, box in zip(outputs[0::3], outputs[1::3], outputs[2::3]):
            score = np.sqrt(cls[0].clip(0, 1) * obj[0].clip(0, 1))
            cells.append(np.concatenate([score, box[0]], 1))
        boxes, scores = cells_to_boxes(np.concatenate(cells), *fitted.shape[:2], threshold, nms_iou, votes=False)
        size = boxes[:, 2:] - boxes[:, :2]
        grown = np.concatenate([boxes[:, :2] - size * [SIDE, TOP], boxes[:, 2:] + size * [SIDE, BOTTOM]], 1)
        return grown / scale, scores

    return detect


def rows_detector(path, head_class=1):
    """A model with rows of batch, class, score, x0, y0, x1, y1 and a fixed input, such as YOLOX body-head-hand."""
    run = session(path)
    put = run.get_inputs()[0]
    height, width = put.shape[2:]

    def detect(image):
        fitted = cv2.resize(image, (width, height))
        rows = run.run(None, {put.name: fitted.transpose(2, 0, 1)[None].astype(np.float32)})[0]
        rows = rows[rows[:, 1] == head_class]
        scale = np.array([width / image.shape[1], height / image.shape[0]] * 2, np.float32)
        return rows[:, 3:7] / scale, rows[:, 2]

    return detect


def movenet_detector(path, long_side, threshold=0.02):
    """MoveNet MultiPose Lightning (movenet.tflite, by ai-edge-litert): heads from nose, eyes, ears and shoulders."""
    from ai_edge_litert.interpreter import Interpreter

    network = Interpreter(str(path), num_threads=1)
    shape = None

    def detect(image):
        nonlocal shape
        fitted, scale = letterbox(image, long_side)
        if shape != fitted.shape:
            shape = fitted.shape
            network.resize_tensor_input(0, (1, *shape), strict=False)
            network.allocate_tensors()
        network.set_tensor(0, np.ascontiguousarray(fitted[None, ..., ::-1]))
        network.invoke()
        people = network.get_tensor(network.get_output_details()[0]["index"])[0]
        people = people[people[:, 55] > threshold]
        points = people[:, :51].reshape(-1, 17, 3)[..., 1::-1] * [shape[1], shape[0]]
        face, neck = points[:, :5].mean(1), points[:, 5:7].mean(1)
        apart = lambda a, b: np.linalg.norm(a - b, axis=1)  # noqa: E731
        # The largest of what the ears, the shoulders and the neck say of the head's size.
        ears, shoulders = apart(points[:, 3], points[:, 4]), apart(points[:, 5], points[:, 6])
        size = np.max([1.5 * ears, 0.55 * shoulders, 0.9 * apart(neck, face)], 0)[:, None]
        half, centre = size * [0.45, 0.575], face - size * [0, 0.1]
        return np.concatenate([centre - half, centre + half], 1) / scale, people[:, 55]

    return detect


def match(boxes, scores, truth, limit=0.5, min_side=12):
    """Per box: score and 1 (right), 0 (false) or -1 (does not count); and the number of heads that count."""
    counts = (truth[:, 4] == 0) & (truth[:, 2:4].min(1) >= min_side)
    corners = np.concatenate([truth[:, :2], truth[:, :2] + truth[:, 2:4]], 1)
    area = np.prod(truth[:, 2:4], 1)
    used = np.zeros(len(truth), bool)
    verdicts = []
    for index in np.argsort(-scores, kind="stable"):
        box = boxes[index]
        verdict = 0
        if len(truth):
            shared = np.prod(np.clip(np.minimum(corners[:, 2:], box[2:]) - np.maximum(corners[:, :2], box[:2]), 0, None), 1)
            mine = np.prod(box[2:] - box[:2])
            overlap = shared / (area + mine - shared)
            free = np.where(used | ~counts, 0, overlap)
            if free.max() >= limit:
                used[free.argmax()] = True
                verdict = 1
            elif ((overlap >= limit) & ~counts).any() or (shared / max(mine, 1e-6))[truth[:, 4] != 0].max(initial=0) > 0.5:
                verdict = -1
        if verdict == 0 and (box[2:] - box[:2]).min() < min_side:
            verdict = -1
        verdicts.append((float(scores[index]), verdict))
    return verdicts, int(counts.sum())


def average_precision(verdicts, heads):
    """Area under the precision envelope over recall."""
    verdicts = sorted((v for v in verdicts if v[1] >= 0), reverse=True)
    right = np.cumsum([v for _, v in verdicts])
    precision = right / np.arange(1, len(verdicts) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    recall = np.concatenate([[0], right / max(heads, 1)])
    return float(((recall[1:] - recall[:-1]) * envelope).sum())


def judge(detect, root, pictures, min_side=12, source=None):
    """All verdicts and the number of heads over `pictures`; by source, and together under ""."""
    result = {}
    for picture in pictures:
        image = cv2.imread(str(Path(root) / picture["file"]))
        boxes, scores = detect(image)
        verdicts, heads = match(boxes, scores, picture["boxes"], min_side=min_side)
        for key in ("", picture["source"]):
            every, count = result.get(key, ([], 0))
            result[key] = (every + verdicts, count + heads)
    return result


def calibration(verdicts):
    """Score at which a box is as likely right as false: where a logistic fit crosses one half."""
    counted = [(s, v) for s, v in verdicts if v >= 0]
    score = np.array([s for s, _ in counted]).clip(1e-6, 1 - 1e-6)
    logit, right = np.log(score / (1 - score)), np.array([v for _, v in counted], float)
    a, b = 1.0, 0.0
    for _ in range(100):  # Newton's method for two parameters
        p = 1 / (1 + np.exp(-(a * logit + b)))
        gradient = np.array([((p - right) * logit).sum(), (p - right).sum()])
        w = p * (1 - p)
        hessian = np.array([[(w * logit**2).sum(), (w * logit).sum()], [(w * logit).sum(), w.sum()]])
        step = np.linalg.solve(hessian + 1e-6 * np.eye(2), gradient)
        a, b = a - step[0], b - step[1]
    return a, b


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with annotations.json")
    parser.add_argument("--kind", choices=("heads", "yunet", "rows", "movenet"), default="heads")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--size", type=int, nargs="+", default=[640], help="longer sides of the input to try")
    parser.add_argument("--every", type=int, default=1, help="take every Nth picture")
    args = parser.parse_args()
    pictures = load(args.data, "val")[:: args.every]
    for size in args.size:
        if args.kind == "rows":
            detect = rows_detector(args.model)
        else:
            kinds = {"heads": onnx_detector, "yunet": yunet_detector, "movenet": movenet_detector}
            detect = kinds[args.kind](args.model, size)
        result = judge(detect, args.data, pictures)
        for key, (verdicts, heads) in sorted(result.items()):
            ap = average_precision(verdicts, heads)
            print(json.dumps({"size": size, "source": key or "all", "heads": heads, "ap": round(ap, 4)}), flush=True)


if __name__ == "__main__":
    main()
