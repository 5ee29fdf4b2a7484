# SPDX-License-Identifier: MPL-2.0
"""3DDFA_V2 with a dynamic batch, and an output whose name states its meaning.

Usage: tddfa.py mb1_120x120.onnx 3ddfa_v2_mb1_Nx3x120x120.onnx

The published file takes one face at a time because of a reshape to that batch; a flattening replaces it,
and the results are bit-identical. The shape does not show whether the 62 parameters are standardised:
the name of the output does.
"""

import sys

from onnx import helper

from onnx_file import load, save, set_shape

SIDE = 120
PARAMETERS = 62
OUTPUT = "parameters_standardised"


def shape_of(value):
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def convert(source, target):
    graph = load(source).graph
    shapes = [shape_of(value) for value in [*graph.input, *graph.output]]
    kinds = [node.op_type for node in graph.node[-4:]]
    if (shapes != [[1, 3, SIDE, SIDE], [1, PARAMETERS]]
            or kinds != ["GlobalAveragePool", "Constant", "Reshape", "Gemm"]):
        raise SystemExit(f"{source}: expected 3DDFA_V2, [1,3,{SIDE},{SIDE}] to [1,{PARAMETERS}] by a pool, "
                         f"a reshape and a matrix, found {shapes} by {', '.join(kinds)}")

    constant, reshape, matrix = graph.node[-3:]
    reshape.op_type = "Flatten"
    del reshape.input[1:], reshape.attribute[:]
    reshape.attribute.append(helper.make_attribute("axis", 1))
    graph.node.remove(constant)
    graph.output[0].name = matrix.output[0] = OUTPUT
    set_shape(graph.input[0], ["N", 3, SIDE, SIDE])
    set_shape(graph.output[0], ["N", PARAMETERS])
    save(graph, target, opset=14, doc="3DDFA_V2, MobileNet (MIT, (c) 2020 Jianzhu Guo), batch free")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    convert(sys.argv[1], sys.argv[2])
