# SPDX-License-Identifier: MPL-2.0
"""The whole way from picture to angles, independently of the plugin: OpenCV and ONNX Runtime.

Needs numpy 2.4.6, opencv-python-headless 5.0.0.93, onnxruntime 1.32.0 (requirements.txt), and the
models and pictures fetched by setup/fetch.py. Writes opencv_reference.json.

The arithmetic, for each picture of W x H pixels and each of the two face detectors:

1. Input. scale = 640 / max(W, H); content w = floor(W * scale + 0.5), h likewise, in double;
   cv2.resize of the 8-bit picture to w x h, INTER_LINEAR. It is at the top left of the input,
   whose sides are w and h rounded up to multiples of 32; the rest is 0. Values 0..255, [1,3,h,w];
   BGR for YuNet, RGB for CenterFace.
2. Decode, in input pixels.
   YuNet, strides s = 8, 16, 32, cells row by row: score = sqrt(clip(cls, 0, 1) * clip(obj, 0, 1));
   centre ((column + b0) * s, (row + b1) * s), size (exp(b2) * s, exp(b3) * s).
   CenterFace, stride 4: score = heatmap; height exp(scale[0]) * 4, width exp(scale[1]) * 4, centre
   ((column + offset[1] + 0.5) * 4, (row + offset[0] + 0.5) * 4).
   Kept when score > 0.5 (YuNet) or > 0.3 (CenterFace).
3. Non-maximum suppression by falling score: a box is removed when its IoU with a kept one is > 0.3.
4. To the frame: x * (W / w), y * (H / h). This is `face`.
5. Face to head: 0.41 face widths more on each side, 0.40 face heights more on top, 0.13 below.
6. `box`: corners truncated to int, clamped to 0..W, 0..H. Empty boxes are removed.
7. `crop`: DMHead's margins of the int box (see margins()), corners truncated to int.
8. cv2.resize of the crop to 224x224, INTER_LINEAR, RGB (`crop_sha256`: of these 224*224*3 bytes,
   row by row, R first), [N,3,224,224] 0..255 into WHENet.

`edge` is the smallest distance of a truncated coordinate from a whole number: if it is tiny,
float32 arithmetic may truncate to the other side.
"""

import cv2
import numpy as np
import onnxruntime

from common import MODELS, NAMES, PICTURES, angles, crop_rgb, read_picture, sha256, write

LONG_SIDE = 640
GRANULARITY = 32
NMS_IOU = 0.3
SIDE, TOP, BOTTOM = 0.41, 0.40, 0.13

YUNET = "face_detection_yunet_2023mar_dynamic.onnx"
CENTERFACE = "centerface_dynamic.onnx"
WHENET = "whenet_Nx3x224x224_prepost.onnx"


def session(name):
    path = MODELS / name
    if not path.is_file():
        raise SystemExit(f"expected {path}, found none. Run: "
                         "python3 setup/fetch.py models/manifest.toml --group default")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def detector_input(bgr):
    """The padded input as an 8-bit BGR picture, and the content's width and height in it."""
    height, width = bgr.shape[:2]
    scale = LONG_SIDE / max(width, height)
    w, h = (int(np.floor(side * scale + 0.5)) for side in (width, height))
    padded = np.zeros([-(-side // GRANULARITY) * GRANULARITY for side in (h, w)] + [3], np.uint8)
    padded[:h, :w] = cv2.resize(bgr, (w, h), interpolation=cv2.INTER_LINEAR)
    return padded, w, h


def to_tensor(picture):
    return picture.transpose(2, 0, 1)[None].astype(np.float32)


def decode_yunet(model, padded):
    names = [output.name for output in model.get_outputs()]
    outputs = dict(zip(names, model.run(None, {"input": to_tensor(padded)})))
    scores, boxes = [], []
    for stride in (8, 16, 32):
        cls, obj, bbox = (outputs[f"{kind}_{stride}"][0].astype(np.float64)
                          for kind in ("cls", "obj", "bbox"))
        score = np.sqrt(np.clip(cls, 0, 1) * np.clip(obj, 0, 1))[:, 0]
        columns = padded.shape[1] // stride
        for cell in np.flatnonzero(score > 0.5):
            row, column = divmod(int(cell), columns)
            cx, cy = (column + bbox[cell, 0]) * stride, (row + bbox[cell, 1]) * stride
            w, h = np.exp(bbox[cell, 2:4]) * stride
            scores.append(score[cell])
            boxes.append((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
    return scores, boxes


def decode_centerface(model, padded):
    rgb = cv2.cvtColor(padded, cv2.COLOR_BGR2RGB)
    heat, scale, offset, _ = (output[0].astype(np.float64)
                              for output in model.run(None, {"input.1": to_tensor(rgb)}))
    scores, boxes = [], []
    for row, column in zip(*np.nonzero(heat[0] > 0.3)):
        h, w = np.exp(scale[:, row, column]) * 4
        cx = (column + offset[1, row, column] + 0.5) * 4
        cy = (row + offset[0, row, column] + 0.5) * 4
        scores.append(heat[0, row, column])
        boxes.append((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
    return scores, boxes


def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)


def suppress(scores, boxes):
    kept = []
    for index in np.argsort(scores)[::-1]:
        if all(iou(boxes[index], boxes[other]) <= NMS_IOU for other in kept):
            kept.append(int(index))
    return kept


def margins(box, width, height):
    """DMHead's crop: each lower margin is taken from the box that its upper one has enlarged."""
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    y0 = max(0.0, y0 - h / 10)
    y1 = min(height, y1 + abs(y0 - y1) / 10)
    x0 = max(0.0, x0 - w / 5)
    x1 = min(width, x1 + abs(x0 - x1) / 5)
    return x0, y0, x1, y1


def edge_distance(values, limits):
    """The smallest distance of the values from a whole number; those beyond the frame are clamped
    and do not count."""
    inside = [v for v, limit in zip(values, limits) if 0 < v < limit]
    return min((abs(v - round(v)) for v in inside), default=1.0)


def heads_of(bgr, decode, model, whenet):
    height, width = bgr.shape[:2]
    limits = (width, height, width, height)
    padded, w, h = detector_input(bgr)
    to_frame = np.array([width / w, height / h, width / w, height / h])
    scores, boxes = decode(model, padded)
    heads, crops = [], []
    for index in suppress(scores, boxes):
        face = np.array(boxes[index]) * to_frame
        fw, fh = face[2] - face[0], face[3] - face[1]
        head = face + np.array([-SIDE * fw, -TOP * fh, SIDE * fw, BOTTOM * fh])
        box = [min(max(int(v), 0), limit) for v, limit in zip(head, limits)]
        if box[2] <= box[0] or box[3] <= box[1]:
            continue
        enlarged = margins(box, width, height)
        crop = [int(v) for v in enlarged]
        crops.append(crop_rgb(bgr, crop))
        # Only the box counts for the edge: where tenths and fifths of whole numbers are whole, they
        # come out whole in every arithmetic.
        heads.append({
            "score": round(float(scores[index]), 5),
            "face": [round(float(v), 3) for v in face],
            "box": box,
            "edge": round(edge_distance(head, limits), 4),
            "enlarged": [round(float(v), 3) for v in enlarged],
            "crop": crop,
            "crop_sha256": sha256(crops[-1].tobytes()),
        })
    if crops:
        batch = np.stack([crop.transpose(2, 0, 1) for crop in crops]).astype(np.float32)
        for head, row in zip(heads, whenet.run(None, {"input": batch})[0]):
            head.update(angles(row))
    return heads


def main():
    whenet = session(WHENET)
    detectors = {
        "yunet": (decode_yunet, session(YUNET)),
        "centerface": (decode_centerface, session(CENTERFACE)),
    }
    pictures = {}
    for name in NAMES:
        bgr = read_picture(name)
        pictures[name] = {
            "sha256": sha256((PICTURES / name).read_bytes()),
            "width": bgr.shape[1],
            "height": bgr.shape[0],
            "heads": {key: heads_of(bgr, decode, model, whenet)
                      for key, (decode, model) in detectors.items()},
        }
    versions = {"numpy": np.__version__, "opencv": cv2.__version__,
                "onnxruntime": onnxruntime.__version__}
    models = {name: sha256((MODELS / name).read_bytes()) for name in (YUNET, CENTERFACE, WHENET)}
    write("opencv_reference.json", "opencv_reference.py", versions,
          {"models_sha256": models, "pictures": pictures})


if __name__ == "__main__":
    main()
