# SPDX-License-Identifier: MPL-2.0
"""Reads and writes ONNX files so that the same input always gives the same bytes."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

# Old enough for ONNX Runtime 1.17, new enough for all operators used.
OPSET = 13
IR_VERSION = 8


def tensor(name, array):
    """A float32 initializer."""
    return numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name)


def load(path):
    try:
        return onnx.load(path)
    except Exception as error:  # protobuf has no public base class for its parse errors
        raise SystemExit(f"{path}: expected an ONNX file, found: {error}") from error


def save(graph, path, *, doc, opset=OPSET):
    """Checks the graph and writes it; with a fixed producer the bytes depend only on the graph."""
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=IR_VERSION,
        producer_name="dmheadpose",
        doc_string=doc,
    )
    onnx.checker.check_model(model, full_check=True)
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


def int_initializers(graph):
    """The integer constants of a graph (shapes, mostly) as lists, by name."""
    return {
        i.name: numpy_helper.to_array(i).flatten().tolist()
        for i in graph.initializer
        if i.data_type == onnx.TensorProto.INT64
    }


def set_shape(value, shape):
    """Declares the shape of an input or output: numbers are fixed, strings are dynamic sizes."""
    dims = value.type.tensor_type.shape.dim
    del dims[:]
    for size in shape:
        dim = dims.add()
        if isinstance(size, str):
            dim.dim_param = size
        else:
            dim.dim_value = size
