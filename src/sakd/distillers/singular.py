"""Singular vectors with a gradient that stays finite."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx
from torch.nn.functional import pad

SHARPNESS = 1e-4
"""Singular values nearer than this, relative to the largest, count as nearly equal."""


def principal_directions(matrices: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The first right singular vectors of matrices (B, P, C), and their singular values.

    The gradient of a singular vector grows without bound as two singular values meet; here
    1 / x becomes x / (x^2 + d^2), d = `SHARPNESS` relative to the largest singular value.

    Returns:
        Vectors (B, C, n) and values (B, n), n = min(count, P, C); only the former are
        differentiable. The sign of a vector is arbitrary.
    """
    vectors, values = _PrincipalDirections.apply(matrices, count)
    return vectors, values


class _PrincipalDirections(torch.autograd.Function):
    """Townsend, 2016, "Differentiating the Singular Value Decomposition", for V alone."""

    @staticmethod
    def forward(ctx: FunctionCtx, matrices: Tensor, count: int) -> tuple[Tensor, Tensor]:
        u, s, vh = torch.linalg.svd(matrices, full_matrices=False)
        vectors, values = vh.mT[..., :count].contiguous(), s[..., :count].clone()
        ctx.save_for_backward(u, s, vh)
        ctx.mark_non_differentiable(values)
        return vectors, values

    @staticmethod
    def backward(ctx: BackwardCFunction, gradient: Tensor, _values: Tensor) -> tuple[Tensor, None]:
        u, s, vh = cast("tuple[Tensor, Tensor, Tensor]", ctx.saved_tensors)
        largest = s[:, :1]
        within = vh @ gradient  # the part that turns the vectors among themselves
        beyond = gradient - vh.mT @ within  # and out of the space that they span
        rank, count = within.shape[1:]
        within = pad(within, (0, rank - count))
        gap = s.square()[:, None] - s.square()[:, :, None]
        turned = _inverse(gap, largest.square()[..., None]) * (within - within.mT)
        lifted = _inverse(s, largest)[:, :count, None] * beyond.mT
        return (u * s[:, None]) @ turned @ vh + u[..., :count] @ lifted, None


def _inverse(x: Tensor, scale: Tensor) -> Tensor:
    """Smoothed 1 / x: never above 1 / (2 d), and 0 at 0."""
    return x / (x.square() + (SHARPNESS * scale).square() + torch.finfo(x.dtype).tiny)
