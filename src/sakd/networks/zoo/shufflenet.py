"""ShuffleNets for small images: a 1x1 stem of 24 channels and stride 1, and no max pooling.

Zhang et al., CVPR 2018, arXiv:1707.01083 (V1, table 1, three groups); Ma et al., ECCV 2018,
arXiv:1807.11164 (V2, table 5, width 1).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sakd.networks.chain import Chain
from sakd.networks.staged import StagedNetwork
from sakd.networks.zoo.blocks import (
    Block,
    GlobalAveragePool,
    chain,
    conv_bn,
    conv_bn_relu,
    initialise,
)
from sakd.networks.zoo.grouped import Shuffle, grouped_bn

STEM = 24
LENGTHS = (4, 8, 4)
GROUPS = 3
V1_WIDTHS = (240, 480, 960)
V2_WIDTHS = (116, 232, 464)
V2_LAST = 1024


class GroupedUnit(nn.Module):
    """V1: grouped 1x1, shuffle, 3x3 per channel, grouped 1x1; added to or concatenated with input.

    Differs from the paper: there is a rectifier after the 3x3 convolution, and the bottleneck is a
    quarter of the branch's output channels, without those of the concatenated shortcut, as in the
    SAKD reference.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        """Map ``inputs`` to ``outputs`` channels; the few channels of the stem are not grouped."""
        super().__init__()
        self.pool = nn.AvgPool2d(3, stride, padding=1) if stride > 1 else None
        made = outputs if self.pool is None else outputs - inputs
        middle, groups = made // 4, 1 if inputs == STEM else GROUPS
        self.branch = nn.Sequential(
            grouped_bn(inputs, middle, groups).append(nn.ReLU()),
            Shuffle(groups),
            conv_bn_relu(middle, middle, 3, stride=stride, groups=middle),
            grouped_bn(middle, made, GROUPS),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        out = self.branch(x)
        return F.relu(out + x if self.pool is None else torch.cat([out, self.pool(x)], dim=1))


class SplitUnit(nn.Module):
    """V2: half of the channels pass unchanged, the other half through 1x1, 3x3, 1x1; then shuffle.

    The 3x3 convolution is per channel. With a stride all channels take both ways, and the first
    is a 3x3 convolution per channel and a 1x1 convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        """Map ``inputs`` to ``outputs`` channels."""
        super().__init__()
        half = outputs // 2
        self.split = stride == 1
        taken = inputs // 2 if self.split else inputs
        self.shortcut = nn.Sequential()
        if not self.split:
            self.shortcut.append(conv_bn(inputs, inputs, 3, stride=stride, groups=inputs))
            self.shortcut.append(conv_bn_relu(inputs, half))
        self.branch = nn.Sequential(
            conv_bn_relu(taken, half),
            conv_bn(half, half, 3, stride=stride, groups=half),
            conv_bn_relu(half, half),
        )
        self.shuffle = Shuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        passed, taken = x.chunk(2, dim=1) if self.split else (x, x)
        out: Tensor = self.shuffle(torch.cat([self.shortcut(passed), self.branch(taken)], dim=1))
        return out


def shufflenet_v1(num_classes: int, in_channels: int = 3) -> StagedNetwork:
    """Build ShuffleNetV1 with three groups; the embedding (B, 960) is the mean of the last maps."""
    stages = _convolutional_stages(in_channels, GroupedUnit, V1_WIDTHS)
    stages["embedding"] = GlobalAveragePool()
    stages["head"] = nn.Linear(V1_WIDTHS[-1], num_classes)
    return initialise(Chain(stages, family="shufflenet"))


def shufflenet_v2(num_classes: int, in_channels: int = 3) -> StagedNetwork:
    """Build ShuffleNetV2; the embedding (B, 1024) is the mean after one more 1x1 convolution."""
    stages = _convolutional_stages(in_channels, SplitUnit, V2_WIDTHS)
    last = conv_bn_relu(V2_WIDTHS[-1], V2_LAST)
    stages["embedding"] = nn.Sequential(last, GlobalAveragePool())
    stages["head"] = nn.Linear(V2_LAST, num_classes)
    return initialise(Chain(stages, family="shufflenet"))


def _convolutional_stages(
    in_channels: int, unit: Block, widths: tuple[int, int, int]
) -> dict[str, nn.Module]:
    stages: dict[str, nn.Module] = {"stem": conv_bn_relu(in_channels, STEM)}
    inputs = STEM
    for number, (outputs, length) in enumerate(zip(widths, LENGTHS, strict=True), start=1):
        stages[f"stage{number}"] = chain(unit, inputs, outputs, length=length, stride=2)
        inputs = outputs
    return stages
