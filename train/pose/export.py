# SPDX-License-Identifier: MPL-2.0
"""Calibrates the stated uncertainty and writes the ONNX file.

    python3 train/pose/export.py RUN/last.pt models/turnnet.onnx --bed BED/heads.csv

One factor makes the stated deviation hold for 72 % of the bed's `fit` part. It was trained on these hairstyles, so that 68 %
would be less elsewhere; the bed's `test` part is left for judging.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

from evaluate import answers, rotation_error
from geometry import rotation as matrix
from model import SIDE, PoseNet

COVERED = 0.72
# The plugin resizes crops without a filter, to this many times the network's side; the graph takes the mean.
FILTER = 2


class Stated(nn.Module):
    """The same network, its last output a standard deviation in degrees."""

    def __init__(self, network, factor):
        super().__init__()
        self.network = network
        self.shift = float(np.log(np.degrees(factor)))

    def forward(self, image):
        output = self.network(F.avg_pool2d(image, FILTER))
        return torch.cat([output[:, :6], (output[:, 6:] + self.shift).exp()], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--bed", type=Path, required=True, help="heads.csv of `make truth`")
    options = parser.parse_args()
    network = PoseNet()
    network.load_state_dict(torch.load(options.checkpoint)["average"])
    network.eval()
    truth, found, _, stated = answers(network, options.bed, lambda row: row["split"] == "fit")
    errors = np.radians(rotation_error(found, np.array([matrix(*row) for row in truth])))
    factor = float(np.quantile(errors / stated, COVERED))
    print(f"{options.bed}: {len(truth)} heads of fit, stated deviations times {factor:.3f}")
    torch.onnx.export(
        Stated(network, factor).eval(), torch.zeros(1, 3, FILTER * SIDE, FILTER * SIDE), options.output, dynamo=False, opset_version=17,
        input_names=["image"], output_names=["pose"], dynamic_axes={"image": {0: "N"}, "pose": {0: "N"}},
    )
    graph = onnx.load(options.output)
    graph.producer_name, graph.producer_version = "dmheadpose", ""
    onnx.save(graph, options.output)


if __name__ == "__main__":
    main()
