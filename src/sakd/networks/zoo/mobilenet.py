"""MobileNetV2 for small images.

Sandler et al., CVPR 2018, arXiv:1801.04381, table 2. Differs from the paper: stage 1 has stride 1,
the first block expands too (by one), and rectifiers are not capped at 6, as in the SAKD reference.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from sakd.networks.chain import Chain
from sakd.networks.staged import StagedNetwork
from sakd.networks.zoo.blocks import GlobalAveragePool, chain, conv_bn, conv_bn_relu, initialise

EXPANSION = 6
STEM, FIRST, LAST = 32, 16, 1280
STAGES = (
    ((24, 2, 1),),
    ((32, 3, 2),),
    ((64, 4, 2), (96, 3, 1)),
    ((160, 3, 2), (320, 1, 1)),
)
"""The groups of blocks of each stage: channels at width 1, number of blocks, stride."""


class InvertedResidual(nn.Module):
    """Expands by 1x1, filters each channel by 3x3, projects by 1x1 without rectifier."""

    def __init__(self, inputs: int, outputs: int, stride: int, *, expansion: int) -> None:
        """Map ``inputs`` to ``outputs`` channels; a shortcut where the shape stays the same."""
        super().__init__()
        wide = expansion * inputs
        self.shortcut = stride == 1 and inputs == outputs
        self.expand = conv_bn_relu(inputs, wide)
        self.filter = conv_bn_relu(wide, wide, 3, stride=stride, groups=wide)
        self.project = conv_bn(wide, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        out: Tensor = self.project(self.filter(self.expand(x)))
        return x + out if self.shortcut else out


def mobilenet_v2(num_classes: int, in_channels: int = 3, *, width: float = 1.0) -> StagedNetwork:
    """Build MobileNetV2 with ``width`` times the paper's channels; the embedding keeps 1280."""
    inputs = int(STEM * width)
    stem = conv_bn_relu(in_channels, inputs, 3, stride=2)
    stages: dict[str, nn.Module] = {"stem": stem}
    first = InvertedResidual(inputs, int(FIRST * width), 1, expansion=1)
    inputs = int(FIRST * width)
    block = partial(InvertedResidual, expansion=EXPANSION)
    for number, groups in enumerate(STAGES, start=1):
        layers: list[nn.Module] = [first] if number == 1 else []
        for channels, length, stride in groups:
            outputs = int(channels * width)
            layers += chain(block, inputs, outputs, length=length, stride=stride)
            inputs = outputs
        stages[f"stage{number}"] = nn.Sequential(*layers)
    stages["embedding"] = nn.Sequential(conv_bn_relu(inputs, LAST), GlobalAveragePool())
    stages["head"] = nn.Linear(LAST, num_classes)
    return initialise(Chain(stages, family="mobilenet"))
