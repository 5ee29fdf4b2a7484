# SPDX-License-Identifier: MPL-2.0
"""Errors of the head-pose network on rendered heads and on Pointing'04, in short, while it is trained.

    python3 train/pose/evaluate.py RUN/last.pt --bed BED/heads.csv [--pointing POINTING04/heads.csv]

The figures of the documents are those of dmheadpose-eval.
"""

import argparse
import csv
import sys
from pathlib import Path

import cv2
import numpy as np
import torch

from data import MIRROR, plain_crop, tensor
from model import PoseNet, rotation

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "truth"))
from fusion import BINS, pan_tilt_roll, wrap  # noqa: E402
from geometry import angles  # noqa: E402
from geometry import rotation as matrix  # noqa: E402


@torch.no_grad()
def answers(network, path, keep):
    """Truth, answers, answers for the mirrored picture (rotations) and stated deviations (radians)."""
    truth, crops = [], []
    with open(path, newline="") as file:
        for row in filter(keep, csv.DictReader(file)):
            x, y, w, h = (float(row[key]) for key in ("x", "y", "w", "h"))
            truth.append([float(row[key]) for key in ("yaw", "pitch", "roll")])
            crops.append(tensor(plain_crop(cv2.imread(str(Path(path).parent / row["file"])), (x, y, x + w, y + h))))
    network.eval()
    plain, other = [], []
    for part in torch.stack(crops).split(64):
        plain.append(network(part.contiguous(memory_format=torch.channels_last)))
        other.append(network(part.flip(3).contiguous(memory_format=torch.channels_last)))
    plain, other = torch.cat(plain), torch.cat(other)
    return np.array(truth), rotation(plain).numpy(), MIRROR @ rotation(other).numpy() @ MIRROR, plain[:, 6].exp().numpy()


def rotation_error(a, b):
    return np.degrees(np.arccos(np.clip((np.einsum("nij,nij->n", a, b) - 1) / 2, -1, 1)))


def summary(network, bed=None, pointing=None):
    """Dictionaries of rounded figures, one for each set."""
    if bed:
        truth, found, other, spread = answers(network, bed, lambda row: row["split"] == "test" and row["hair"] == "plain")
        found_angles = np.array([angles(r) for r in found])
        off, far = np.abs(wrap(found_angles - truth)), np.abs(truth[:, 0])
        whole = rotation_error(found, np.array([matrix(*row) for row in truth]))
        half = spread <= np.median(spread)
        behind = far > 120
        yield {
            "yaw": [round(float(off[(far >= low) & (far < high), 0].mean()), 1) for low, high in BINS],
            "rotation": [round(float(whole[(far >= low) & (far < high)].mean()), 1) for low, high in BINS],
            "rear yaw": round(float(off[far > 90, 0].mean()), 1),
            "rear rotation": round(float(whole[far > 90].mean()), 1),
            "called front": round(float((np.abs(found_angles[behind, 0]) <= 90).mean()), 3),
            "mirror": round(float(np.median(np.abs(wrap(found_angles[:, 0] - np.array([angles(r)[0] for r in other]))))), 2),
            "surer half": round(float(whole[half].mean() / whole.mean()), 3),
            "within": round(float((np.radians(whole) <= spread).mean()), 3),
        }
    if pointing:
        keep = lambda row: abs(float(row["yaw"])) <= 45 and abs(float(row["pitch"])) <= 30  # noqa: E731
        truth, found, _, _ = answers(network, pointing, keep)
        found = pan_tilt_roll([angles(r) for r in found])
        each = np.abs(wrap(found - truth)).mean(0)
        yield {"pointing": [round(float(v), 2) for v in (*each, each.mean())], "bias": (found - truth).mean(0).round(1).tolist()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--bed", type=Path)
    parser.add_argument("--pointing", type=Path)
    options = parser.parse_args()
    network = PoseNet()
    network.load_state_dict(torch.load(options.checkpoint)["average"])
    for line in summary(network.to(memory_format=torch.channels_last), options.bed, options.pointing):
        print(line)


if __name__ == "__main__":
    main()
