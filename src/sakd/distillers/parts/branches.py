"""The parts of task-oriented feature distillation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sakd.networks.zoo.blocks import conv_bn_relu


class Branch(nn.Module):
    """A classifier of the maps of a stage: small stages in place of those that follow, and a head.

    Zhang et al., NeurIPS 2020, "Task-Oriented Feature Distillation".
    """

    def __init__(self, widths: Sequence[int], classes: int) -> None:
        """Make a small stage for each that follows.

        Args:
            widths: Channels of the maps, and of each stage that follows.
            classes: K, the number of classes.
        """
        super().__init__()
        self.stages = nn.Sequential(*(separable(*pair) for pair in pairwise(widths)))
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Describe maps (B, C, H, W) by a vector (B, C'), and classify this: logits (B, K)."""
        vector = self.stages(maps).mean(dim=(2, 3))
        return vector, self.head(vector)


def separable(inputs: int, outputs: int) -> nn.Sequential:
    """Make two separable 3x3 convolutions, which halve the size and change the channels."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride=2, padding=1, groups=inputs, bias=False),
        conv_bn_relu(inputs, inputs),
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        conv_bn_relu(inputs, outputs),
    )


class Link(nn.Module):
    """A matrix R from the student's vectors to the teacher's."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """Make a matrix (outputs, inputs)."""
        super().__init__()
        self.layer = nn.Linear(inputs, outputs, bias=False)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Map vectors (B, C); measure also how far R is from orthogonal, a scalar."""
        matrix = self.layer.weight
        return self.layer(vectors), from_unit(matrix @ matrix.T) + from_unit(matrix.T @ matrix)


def from_unit(square: Tensor) -> Tensor:
    """Compute || M - I || of a matrix M (D, D), over all elements."""
    unit = torch.eye(len(square), dtype=square.dtype, device=square.device)
    return length(square - unit)


def length(x: Tensor) -> Tensor:
    """Compute the length of a tensor of any shape; that of zeros has a gradient of 0."""
    norm: Tensor = torch.linalg.vector_norm(x)
    return norm
