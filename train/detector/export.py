# SPDX-License-Identifier: MPL-2.0
"""Calibrates the scores of a trained network on the held-out pictures and writes it as ONNX.

Of several checkpoints of one run the mean of the weights is taken (Wortsman et al., Model soups, ICML 2022).

Outputs `head_8`, `head_16` and `head_32`, float32 [1, 5, H / stride, W / stride]; see model.py for the values. The
calibration, a logistic fit of right against false boxes, is folded into the last layer, so that a logit of 0 means even
odds.
"""

import argparse
import json
import warnings
from pathlib import Path

import onnx
import torch

from data import load
from evaluate import average_precision, calibration, judge, torch_detector
from model import STRIDES, HeadNet


def calibrate(net, slope, offset):
    for head in net.heads:
        head.depth.weight.data[0] *= slope
        head.depth.bias.data[0] = head.depth.bias.data[0] * slope + offset


def write(net, path, properties):
    names = [f"head_{stride}" for stride in STRIDES]
    axes = {"image": {2: "height", 3: "width"}}
    axes |= {name: {2: f"height_{name}", 3: f"width_{name}"} for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.to(memory_format=torch.contiguous_format), torch.zeros(1, 3, 384, 640), str(path),
            input_names=["image"], output_names=names, dynamic_axes=axes, dynamo=False, opset_version=17,
        )
    model = onnx.load(path)
    model.producer_name = "dmheadpose"
    onnx.helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with annotations.json and images/")
    parser.add_argument("checkpoints", type=Path, nargs="+", help="of one training run")
    parser.add_argument("--output", type=Path, required=True, help="the .onnx to write")
    parser.add_argument("--size", type=int, default=640, help="longer side of the input for the calibration")
    parser.add_argument("--every", type=int, default=1, help="calibrate on every Nth held-out picture")
    args = parser.parse_args()
    states = [torch.load(checkpoint) for checkpoint in args.checkpoints]
    weights = [state["average"] for state in states]
    net = HeadNet()
    net.load_state_dict({key: sum(w[key] for w in weights) / len(weights) for key in weights[0]})
    net.eval()
    held_out = load(args.data, "val")[:: args.every]
    verdicts, heads = judge(torch_detector(net, args.size), args.data, held_out)[""]
    slope, offset = calibration(verdicts)
    calibrate(net, slope, offset)
    properties = {"licence": "MPL-2.0", "source": "train/", "steps": ", ".join(str(state["step"]) for state in states)}
    write(net, args.output, properties)
    ap = average_precision(verdicts, heads)
    print(json.dumps({"ap": round(ap, 4), "slope": round(float(slope), 4), "offset": round(float(offset), 4)}))


if __name__ == "__main__":
    main()
