# SPDX-License-Identifier: MPL-2.0
"""The head detector: a small anchor-free network for strides 8, 16 and 32.

Stem and stages have the shapes of YuNet's backbone and neck (MIT), so that its weights, trained on faces, are a
starting point (`load_yunet`). What is added starts as the identity: residual blocks at strides 8, 16 and 32, where a
channel is cheap and what surrounds a head is in view.

Input: float32 [N, 3, H, W], BGR 0..255, H and W multiples of 32.
Output of `forward`: for each stride a map [N, 5, H / stride, W / stride]: logit of the score, centre x and y
relative to the cell in strides, logarithm of width and height in strides.
"""

import torch
from torch import nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)
CHANNELS = 64


class Unit(nn.Module):
    """1x1 convolution, depthwise 3x3 convolution, ReLU."""

    def __init__(self, inputs, outputs, relu=True):
        super().__init__()
        self.point = nn.Conv2d(inputs, outputs, 1)
        self.depth = nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs)
        self.relu = relu

    def forward(self, x):
        x = self.depth(self.point(x))
        return F.relu(x) if self.relu else x


class Block(nn.Module):
    """Inverted residual: widen, look around, narrow, add. Starts as the identity."""

    def __init__(self, channels, width, kernel):
        super().__init__()
        self.widen = nn.Conv2d(channels, width, 1)
        self.depth = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.narrow = nn.Conv2d(width, channels, 1)
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(self.narrow.bias)

    def forward(self, x):
        y = F.relu(self.widen(x))
        y = F.relu(self.depth(y))
        return x + self.narrow(y)


def blocks(count, width, kernel):
    return nn.Sequential(*(Block(CHANNELS, width, kernel) for _ in range(count)))


class HeadNet(nn.Module):
    def __init__(self, at8=(1, 96, 3), at16=(3, 192, 5), at32=(4, 256, 5)):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.stem_unit = Unit(16, 16)
        self.stage4 = nn.Sequential(Unit(16, 16), Unit(16, 32), Unit(32, 32), Unit(32, 64))
        self.stage8 = nn.Sequential(Unit(64, 64), Unit(64, 64))
        self.stage16 = nn.Sequential(Unit(64, 64), Unit(64, 64))
        self.stage32 = nn.Sequential(Unit(64, 64), Unit(64, 64))
        self.blocks8, self.blocks16, self.blocks32 = blocks(*at8), blocks(*at16), blocks(*at32)
        self.lateral = nn.ModuleList(Unit(64, 64) for _ in STRIDES)
        self.heads = nn.ModuleList(Unit(64, 5, relu=False) for _ in STRIDES)

    def features(self, x):
        x = F.max_pool2d(self.stem_unit(F.relu(self.stem(x))), 2)
        x = F.max_pool2d(self.stage4(x), 2)
        x8 = self.blocks8(self.stage8(x))
        x16 = self.blocks16(self.stage16(F.max_pool2d(x8, 2)))
        x32 = self.blocks32(self.stage32(F.max_pool2d(x16, 2)))
        p32 = self.lateral[2](x32)
        p16 = self.lateral[1](x16 + F.interpolate(p32, scale_factor=2.0))
        p8 = self.lateral[0](x8 + F.interpolate(p16, scale_factor=2.0))
        return p8, p16, p32

    def forward(self, x):
        return [head(feature) for head, feature in zip(self.heads, self.features(x))]
