# SPDX-License-Identifier: MPL-2.0
"""Writes one fused ONNX file of a front and a rear pose model; run by `dmheadpose-models fuse`.

Standard input: one JSON object with `front` and `rear` ({file, columns: [yaw, roll, pitch]}),
`size` ([height, width]), `batch` (a number, or null for any), `activation_angle` and `output`. That
both take the same crops has been checked by then. Needs the package onnx.
"""

import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper, version_converter

# The first with all operators used here.
OLDEST_OPSET = 13
# Opset 13 came with IR version 7; from 4 on initializers need not be inputs.
OLDEST_IR = 7


def fail(reason):
    raise SystemExit(reason)


def opset_of(model):
    versions = [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")]
    return versions[0] if versions else 1


def load(part):
    model = onnx.load(part["file"])
    # Old exporters list the initializers among the inputs, where a caller might replace them.
    constants = {constant.name for constant in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    return model


def at_opset(model, part, opset):
    """The model with operators of this opset."""
    found = opset_of(model)
    if found == opset:
        return model
    try:
        return version_converter.convert_version(model, opset)
    except Exception as error:  # the converter raises RuntimeError and others for what it cannot do
        fail(
            f"{part['file']}: expected a model of opset {opset}, as both parts of a fused file share "
            f"it, found opset {found}, which cannot be converted: {error}. Export it again with "
            f"opset {opset}"
        )


def other_domains(model):
    return {o.domain: o.version for o in model.opset_import if o.domain not in ("", "ai.onnx")}


def rule(front, rear, activation_angle):
    """Nodes and constants of the fusion: where |yaw| of the rear model is at most the activation
    angle the front model counts, else the rear model, also if that yaw is not a number."""
    constants = {
        "fusion_front_order": np.array(front["columns"], np.int64),
        "fusion_rear_order": np.array(rear["columns"], np.int64),
        "fusion_yaw": np.array([0], np.int64),
        "fusion_half_turn": np.array(180, np.float32),
        "fusion_turn": np.array(360, np.float32),
        "fusion_activation_angle": np.array(activation_angle, np.float32),
    }
    step = helper.make_node
    nodes = [
        step("Gather", [front["output"], "fusion_front_order"], ["fusion_front"], axis=1),
        step("Gather", [rear["output"], "fusion_rear_order"], ["fusion_rear"], axis=1),
        step("Gather", ["fusion_rear", "fusion_yaw"], ["fusion_rear_yaw"], axis=1),
        # Yaw may come beyond half a turn; whole turns do not count.
        step("Add", ["fusion_rear_yaw", "fusion_half_turn"], ["fusion_shifted"]),
        step("Div", ["fusion_shifted", "fusion_turn"], ["fusion_in_turns"]),
        step("Floor", ["fusion_in_turns"], ["fusion_whole"]),
        step("Mul", ["fusion_whole", "fusion_turn"], ["fusion_excess"]),
        step("Sub", ["fusion_rear_yaw", "fusion_excess"], ["fusion_wrapped"]),
        step("Abs", ["fusion_wrapped"], ["fusion_magnitude"]),
        step("LessOrEqual", ["fusion_magnitude", "fusion_activation_angle"], ["fusion_is_face"]),
        step("Where", ["fusion_is_face", "fusion_front", "fusion_rear"], ["yaw_roll_pitch"]),
    ]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    return nodes, tensors


def fuse(job):
    parts = job["front"], job["rear"]
    loaded = [load(part) for part in parts]
    opset = max(OLDEST_OPSET, *(opset_of(model) for model in loaded))
    ir_version = max(OLDEST_IR, *(model.ir_version for model in loaded))
    for domain, version in other_domains(loaded[0]).items():
        if other_domains(loaded[1]).get(domain, version) != version:
            fail(
                f"expected operators of one version of {domain!r}, found {version} in "
                f"{parts[0]['file']} and {other_domains(loaded[1])[domain]} in {parts[1]['file']}"
            )
    models = []
    for model, part, prefix in zip(loaded, parts, ("front_", "rear_")):
        model = at_opset(model, part, opset)
        model.ir_version = ir_version
        model = compose.add_prefix(model, prefix)
        part["output"] = model.graph.output[0].name
        models.append(model)
    fused = compose.merge_models(*models, io_map=[], name="dmheadpose_fused")

    graph = fused.graph
    shares = [
        helper.make_node("Identity", ["input"], [model.graph.input[0].name]) for model in models
    ]
    nodes, constants = rule(*parts, job["activation_angle"])
    body = list(graph.node)
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend([*shares, *body, *nodes])
    graph.initializer.extend(constants)
    batch, (height, width) = job["batch"] or "N", job["size"]
    value = helper.make_tensor_value_info
    graph.input.append(value("input", TensorProto.FLOAT, [batch, 3, height, width]))
    graph.output.append(value("yaw_roll_pitch", TensorProto.FLOAT, [batch, 3]))
    # Inner shapes may use another name for the batch.
    del graph.value_info[:]
    domains = {"": opset, **other_domains(models[0]), **other_domains(models[1])}
    del fused.opset_import[:]
    fused.opset_import.extend(helper.make_opsetid(*domain) for domain in domains.items())

    fused.producer_name = "dmheadpose-models"
    fused.doc_string = (
        f"Where the rear model's |yaw| is at most {job['activation_angle']:g} degrees the front "
        "model's answer, else the rear model's."
    )
    onnx.checker.check_model(fused, full_check=True)
    with open(job["output"], "wb") as file:
        file.write(fused.SerializeToString(deterministic=True))


if __name__ == "__main__":
    try:
        fuse(json.load(sys.stdin))
    except Exception as error:  # onnx raises many kinds; none should end in a traceback
        fail(f"the two graphs cannot be combined: {type(error).__name__}: {error}")
