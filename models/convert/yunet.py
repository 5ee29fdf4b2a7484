# SPDX-License-Identifier: MPL-2.0
"""YuNet with a dynamic height and width.

Usage: yunet.py face_detection_yunet_2023mar.onnx face_detection_yunet_2023mar_dynamic.onnx

The published file declares a 640x640 input, but no node depends on it: every reshape keeps one -1
and every resize is by scale. So only the declared shapes change, and at 640x640 the results are
bit-identical. Height and width have to be multiples of 32 (its coarsest stride).
"""

import sys

from onnx_file import int_initializers, load, save, set_shape

STRIDES = (8, 16, 32)
COLUMNS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}


def convert(source, target):
    graph = load(source).graph
    outputs = {output.name: output for output in graph.output}
    expected = {f"{kind}_{stride}" for kind in COLUMNS for stride in STRIDES}
    if set(outputs) != expected or len(graph.input) != 1:
        raise SystemExit(f"{source}: expected YuNet with outputs {sorted(expected)} and one input, "
                         f"found outputs {sorted(outputs)} and {len(graph.input)} inputs")

    shapes = int_initializers(graph)
    for node in graph.node:
        if node.op_type == "Reshape" and -1 not in shapes.get(node.input[1], []):
            raise SystemExit(f"{source}: expected reshapes that leave one size free, found "
                             f"{node.name or node.output[0]} to {shapes.get(node.input[1])}")

    set_shape(graph.input[0], [1, 3, "height", "width"])
    for kind, columns in COLUMNS.items():
        for stride in STRIDES:
            set_shape(outputs[f"{kind}_{stride}"], [1, f"cells_{stride}", columns])
    # The stored shapes of inner tensors are those for 640x640.
    del graph.value_info[:]
    save(graph, target, opset=11,
         doc="YuNet 2023mar (MIT, (c) 2020 Shiqi Yu), height and width free")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    convert(sys.argv[1], sys.argv[2])
