# SPDX-License-Identifier: MPL-2.0
"""More labels for the second part of the training: the front model's, where the network trained so far agrees.

    python3 train/pose/relabel.py DATA RUN/last.pt --answers photographs.npz --out relabelled.npz

WHENet knows faces less well than the network does after some thousand steps, so that more photographs get a label.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch

from data import MIRROR, plain_crop, tensor
from evaluate import rotation_error
from model import PoseNet, rotation

# In degrees: how far network and front model may be apart, and the network's answers for a head and its mirror image.
AGREE, EVEN = 20, 15
# The front model reads less than there is beyond this yaw.
WIDEST = 55


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--answers", type=Path, required=True, help="what teach.py wrote")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    network = PoseNet()
    network.load_state_dict(torch.load(options.checkpoint)["average"])
    network.eval()
    known = dict(np.load(options.answers))
    plain, other, last = [], [], (None, None)
    for picture, box in zip(known["picture"], known["box"].astype(float)):
        if last[0] != picture:
            last = picture, cv2.imread(str(options.data / str(picture)))
        crop = tensor(plain_crop(last[1], box))
        both = rotation(network(torch.stack([crop, crop.flip(2)]))).numpy()
        plain.append(both[0])
        other.append(MIRROR @ both[1] @ MIRROR)
    plain, other, pose = np.array(plain), np.array(other), known["pose"]
    yaw = np.abs(np.degrees(np.arctan2(pose[:, 0, 2], pose[:, 2, 2])))
    near = np.maximum(rotation_error(plain, pose), rotation_error(other, pose)) <= AGREE
    label = near & (rotation_error(plain, other) <= EVEN) & (yaw <= WIDEST)
    # A face that is turned further keeps no label of the front model's.
    first = known["known"] & (yaw <= WIDEST)
    known["known"] = label | first
    np.savez_compressed(options.out, **known)
    print(f"{options.out}: {len(label)} heads, {first.sum()} labelled before within {WIDEST} degrees, {known['known'].sum()} now")


if __name__ == "__main__":
    main()
