"""Residual networks of ImageNet, with a stem for small images.

He et al., CVPR 2016, arXiv:1512.03385, table 1. The stem is one 3x3 convolution of stride 1 in
place of a 7x7 one of stride 2 and max pooling, so 32-pixel images keep their size in stage 1.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from sakd.networks.chain import Chain
from sakd.networks.staged import StagedNetwork
from sakd.networks.zoo.blocks import (
    GlobalAveragePool,
    chain,
    conv3x3,
    conv_bn_relu,
    initialise,
    shortcut,
)
from sakd.networks.zoo.resnet import BasicBlock

STEM = 64


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions around a quarter of the channels, and a shortcut.

    Differs from the paper: the 3x3 convolution has the stride, not the first one, as in
    torchvision and in the SAKD reference.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        """Map ``inputs`` to ``outputs`` channels; a 1x1 shortcut where the shape changes."""
        super().__init__()
        middle = outputs // 4
        self.conv1 = nn.Conv2d(inputs, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = conv3x3(middle, middle, stride)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(out)))))
        return F.relu(out + self.downsample(x))


def imagenet_resnet(
    num_classes: int,
    in_channels: int = 3,
    *,
    blocks: tuple[int, int, int, int],
    bottleneck: bool = False,
) -> StagedNetwork:
    """Build a residual network of four stages with ``blocks`` blocks each.

    With ``bottleneck`` the blocks are `Bottleneck`, and the stages four times as wide.
    """
    block, widening = (Bottleneck, 4) if bottleneck else (BasicBlock, 1)
    stages: dict[str, nn.Module] = {"stem": conv_bn_relu(in_channels, STEM, 3)}
    inputs = STEM
    for number, length in enumerate(blocks, start=1):
        outputs = widening * STEM * 2 ** (number - 1)
        stride = 1 if number == 1 else 2
        stages[f"stage{number}"] = chain(block, inputs, outputs, length=length, stride=stride)
        inputs = outputs
    stages["embedding"] = GlobalAveragePool()
    stages["head"] = nn.Linear(inputs, num_classes)
    return initialise(Chain(stages, family="resnet"))
