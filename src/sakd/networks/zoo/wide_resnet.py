"""Wide residual networks.

Zagoruyko & Komodakis, BMVC 2016, arXiv:1605.07146: depth 6n + 4, pre-activation blocks.
"""

from __future__ import annotations

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from sakd.networks.chain import Chain
from sakd.networks.staged import StagedNetwork
from sakd.networks.zoo.blocks import GlobalAveragePool, chain, conv3x3, initialise, narrowed


class PreActivationBlock(nn.Module):
    """Batch norm and rectifier before each convolution; the sum itself is not rectified."""

    def __init__(self, inputs: int, outputs: int, stride: int, keep: float = 1.0) -> None:
        """Map ``inputs`` to ``outputs`` channels; a 1x1 shortcut where their number changes.

        Between the convolutions there is a share, ``keep``, of the channels.
        """
        super().__init__()
        inner = narrowed(outputs, keep)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv3x3(inputs, inner, stride)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv2 = conv3x3(inner, outputs)
        self.shortcut: nn.Conv2d | None = None
        if inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        active = F.relu(self.bn1(x))
        out: Tensor = self.conv2(F.relu(self.bn2(self.conv1(active))))
        return out + (x if self.shortcut is None else self.shortcut(active))


def wide_resnet(
    num_classes: int, in_channels: int = 3, *, depth: int, widen: int, keep: float = 1.0
) -> StagedNetwork:
    """Build a wide residual network of ``depth`` layers, ``widen`` times as wide.

    Between the two convolutions of a block there is a share, ``keep``, of the channels.
    """
    blocks, block = (depth - 4) // 6, partial(PreActivationBlock, keep=keep)
    widths = (16, 16 * widen, 32 * widen, 64 * widen)
    stages: dict[str, nn.Module] = {"stem": conv3x3(in_channels, widths[0])}
    for number in (1, 2, 3):
        inputs, outputs = widths[number - 1], widths[number]
        stride = 1 if number == 1 else 2
        stages[f"stage{number}"] = chain(block, inputs, outputs, length=blocks, stride=stride)
    final = nn.BatchNorm2d(widths[3])
    stages["embedding"] = nn.Sequential(final, nn.ReLU(), GlobalAveragePool())
    stages["head"] = nn.Linear(widths[3], num_classes)
    network = initialise(Chain(stages, family="wide_resnet"))
    nn.init.zeros_(network.get_parameter("head.bias"))
    return network
