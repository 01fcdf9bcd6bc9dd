"""CIFAR residual networks.

He et al., CVPR 2016, arXiv:1512.03385, section 4.2: depth 6n + 2, three stages; the ``x4``
variants are four times as wide with a 32-channel stem (Tian et al., ICLR 2020).
"""

from __future__ import annotations

from functools import partial

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
    narrowed,
    shortcut,
)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, rectified after the sum."""

    def __init__(self, inputs: int, outputs: int, stride: int, keep: float = 1.0) -> None:
        """Map ``inputs`` to ``outputs`` channels; a 1x1 shortcut where the shape changes.

        Between the convolutions there is a share, ``keep``, of the channels.
        """
        super().__init__()
        inner = narrowed(outputs, keep)
        self.conv1 = conv3x3(inputs, inner, stride)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = conv3x3(inner, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.downsample(x))


def resnet(
    num_classes: int,
    in_channels: int = 3,
    *,
    depth: int,
    widths: tuple[int, int, int, int],
    keep: float = 1.0,
) -> StagedNetwork:
    """Build a residual network of ``depth`` layers.

    Args:
        num_classes: Number of logits, K.
        in_channels: Channels of the images.
        depth: Layers with weights, 6n + 2.
        widths: Channels of the stem and of the three stages.
        keep: The share of the channels between the two convolutions of a block that there are.
    """
    blocks, block = (depth - 2) // 6, partial(BasicBlock, keep=keep)
    stages: dict[str, nn.Module] = {"stem": conv_bn_relu(in_channels, widths[0], 3)}
    for number in (1, 2, 3):
        inputs, outputs = widths[number - 1], widths[number]
        stride = 1 if number == 1 else 2
        stages[f"stage{number}"] = chain(block, inputs, outputs, length=blocks, stride=stride)
    stages["embedding"] = GlobalAveragePool()
    stages["head"] = nn.Linear(widths[3], num_classes)
    return initialise(Chain(stages, family="resnet"))
