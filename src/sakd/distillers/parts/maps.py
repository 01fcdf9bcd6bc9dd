"""Shared by the distillers of feature maps."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from sakd.foundation.pooling import average_to

SMALLEST_LENGTH = 1e-6
"""Shorter rows count as zero."""


def pool_to_smaller(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Average two maps (B, C, H, W) to the smaller height and the smaller width of both."""
    height = min(student.shape[2], teacher.shape[2])
    width = min(student.shape[3], teacher.shape[3])
    return pooled(student, height, width), pooled(teacher, height, width)


def pooled(maps: Tensor, height: int, width: int) -> Tensor:
    """Average maps (B, C, H, W) to another height and width, if they have another."""
    if maps.shape[2:] == (height, width):
        return maps
    return average_to(maps, (height, width))


def projection(inputs: int, outputs: int) -> nn.Module:
    """Make a 1x1 convolution from one number of channels to another; nothing if they are equal."""
    return nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)


def squared(x: Tensor) -> Tensor:
    """Square each element.

    As a product, since the gradient of a power takes more passes and loses the layout in memory.
    """
    return x * x


def sample_sums(x: Tensor) -> Tensor:
    """Sum (B, ...) over all axes but the first, without a copy whatever the layout in memory."""
    return x.sum(dim=tuple(range(1, x.dim())))


def sample_means(x: Tensor) -> Tensor:
    """Average (B, ...) over all axes but the first.

    The sum is divided, since the gradient of a mean is a full tensor and that of a sum a view.
    """
    return sample_sums(x) / x[0].numel()


def units(rows: Tensor) -> Tensor:
    """Scale rows (..., D) to length 1; those of zeros become zero, without a gradient."""
    squares = squared(rows).sum(dim=-1, keepdim=True)
    some = squares > SMALLEST_LENGTH**2
    return rows * squares.where(some, 1.0).rsqrt() * some


def attention(maps: Tensor) -> Tensor:
    """Compute the attention (B, HW) of maps (B, C, H, W): mean squares, scaled to length 1."""
    return F.normalize((squared(maps).sum(dim=1) / maps.shape[1]).flatten(1))
