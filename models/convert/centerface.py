# SPDX-License-Identifier: MPL-2.0
"""CenterFace with its actual input shape.

Usage: centerface.py centerface.onnx centerface_dynamic.onnx

The published file declares an input of [10,3,32,32] and lists all its weights as inputs too, which
prevents a runtime from folding them and makes 195 "inputs". The network is fully convolutional: any
batch, and any height and width that are multiples of 32, work once they are declared.
"""

import sys

from onnx_file import load, save, set_shape

CHANNELS = (1, 2, 2, 10)  # heatmap, scale, offset, landmarks
STRIDE = 4


def convert(source, target):
    graph = load(source).graph
    used = {name for node in graph.node for name in node.input}
    weights = {initializer.name for initializer in graph.initializer}
    inputs = [i for i in graph.input if i.name not in weights]
    channels = tuple(o.type.tensor_type.shape.dim[1].dim_value for o in graph.output)
    if len(inputs) != 1 or channels != CHANNELS:
        raise SystemExit(f"{source}: expected CenterFace with one image input and outputs of "
                         f"{CHANNELS} channels, found {len(inputs)} inputs and {channels}")

    kept = [i for i in graph.initializer if i.name in used]
    del graph.input[:], graph.initializer[:], graph.value_info[:]
    graph.input.extend(inputs)
    graph.initializer.extend(kept)
    set_shape(graph.input[0], ["N", 3, "height", "width"])
    for output, count in zip(graph.output, CHANNELS):
        set_shape(output, ["N", count, f"height/{STRIDE}", f"width/{STRIDE}"])
    save(graph, target, opset=9, doc="CenterFace (MIT, (c) 2019 StarClouds), batch, height and "
         "width free")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    convert(sys.argv[1], sys.argv[2])
