"""Features of any shape as vectors."""

from __future__ import annotations

from torch import Tensor

MAP, TOKENS = len("CHW"), len("NC")


def vector(feature: Tensor) -> Tensor:
    """Average maps (B, C, H, W) or tokens (B, N, C) over positions; leave vectors (B, C)."""
    if feature.dim() == 1 + MAP:
        return feature.mean(dim=(2, 3))
    return feature.mean(dim=1) if feature.dim() == 1 + TOKENS else feature


def width(shape: tuple[int, ...]) -> int:
    """Give C for the shape of a feature without the batch axis: (C, H, W), (N, C) or (C,)."""
    return shape[-1] if len(shape) == TOKENS else shape[0]
