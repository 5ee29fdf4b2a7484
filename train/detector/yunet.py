# SPDX-License-Identifier: MPL-2.0
"""YuNet's weights (MIT) as a starting point: the stem, stages, neck and output layers have the same shapes."""

import math

import numpy as np
import onnx
import torch
from onnx import numpy_helper

# What a head's box is beyond a face's, in face sizes: each side, top, bottom.
SIDE, TOP, BOTTOM = 0.41, 0.40, 0.13


def load_yunet(net, path):
    """Copies the weights of `face_detection_yunet_2023mar` into `net`; boxes start as heads, not faces."""
    graph = onnx.load(path).graph
    values = {i.name: numpy_helper.to_array(i).copy() for i in graph.initializer}
    convolutions = [
        (torch.from_numpy(values[n.input[1]]), torch.from_numpy(values[n.input[2]]))
        for n in graph.node
        if n.op_type == "Conv"
    ]
    order = iter(convolutions)

    def put(layer, rows=None):
        weight, bias = next(order)
        target = slice(None) if rows is None else rows
        layer.weight.data[target], layer.bias.data[target] = weight, bias

    def unit(module, rows=None):
        put(module.point, rows)
        put(module.depth, rows)

    put(net.stem)
    unit(net.stem_unit)
    for stage in (net.stage4, net.stage8, net.stage16, net.stage32):
        for module in stage:
            unit(module)
    for level in (2, 1, 0):
        unit(net.lateral[level])
    for rows in (slice(0, 1), slice(1, 5), slice(0, 1)):  # class, box, objectness; the last one stays as the score
        for head in net.heads:
            unit(head, rows)
    grow = torch.tensor([0.0, 0.0, math.log(1 + 2 * SIDE), math.log(1 + TOP + BOTTOM)])
    for head in net.heads:
        head.depth.bias.data[1:5] += grow
    return net
