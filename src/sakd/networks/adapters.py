"""Adapters: small trainable maps from one network's feature shape to another's."""

from __future__ import annotations

import math
from collections import OrderedDict
from math import isqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sakd.foundation.arithmetic import as_networks
from sakd.foundation.pooling import AveragePool

Shape = tuple[int, ...]

LARGEST_KERNEL = 7
"""Sizes that would need a larger kernel are matched by pooling and a 1x1 convolution."""


class Adapter(nn.Sequential):
    """Layers between the features of two networks, in the arithmetic of networks.

    So they are amid losses too, which are in full precision; the result has the type of the input.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply all layers."""
        return as_networks(super().forward, x)


def adapter(source: Shape, target: Shape) -> nn.Module:
    """Make a module from features of shape ``source`` to ``target``, batch axis left out.

    A shape is that of a map (C, H, W), of tokens (N, C) or of a vector (C,). The adapter to a map
    is a convolution with batch norm and rectifier; to tokens and vectors, whose values may be
    negative, it is a linear layer or a bare convolution. To change the number of tokens they are
    laid out as a map, see `token_grid`.
    """
    match source, target:
        case (_, _, _), (_, _, _):
            return convolutional_regressor(source, target)
        case ((inputs,), (outputs,)):
            return nn.Linear(inputs, outputs)
        case ((count, inputs), (same, outputs)) if count == same:
            return nn.Linear(inputs, outputs)
        case _, (outputs,):
            _, (inputs, _, _) = _as_map(source)
            return nn.Sequential(MeanOverPositions(), nn.Linear(inputs, outputs))
        case _, (count, outputs):
            grid = token_grid(count)
            first, shape = _as_map(source)
            conv = _convolution(shape, (outputs, grid.rows, grid.columns))
            return Adapter(first, *conv.values(), MapToTokens(grid))
    first, shape = _as_map(source)
    return nn.Sequential(first, convolutional_regressor(shape, target))


def convolutional_regressor(source: Shape, target: Shape) -> nn.Module:
    """Make a convolution, batch norm and rectifier from maps (C, H, W) of one shape to another.

    Romero et al., ICLR 2015, arXiv:1412.6550, section 2.2, with the geometry of the SAKD
    reference: stride 2 where the size halves or doubles, otherwise the kernel that fits.
    Differs from the reference: where that kernel is larger than `LARGEST_KERNEL`, or one side
    grows and the other shrinks, the map is pooled (or repeated) to size and the kernel is 1.
    """
    layers = _convolution(source, target)
    layers |= {"bn": nn.BatchNorm2d(target[0]), "relu": nn.ReLU()}
    return Adapter(OrderedDict(layers))


def _convolution(source: Shape, target: Shape) -> dict[str, nn.Module]:
    """The layers that change size and channels of a map (C, H, W)."""
    (inputs, *size), (outputs, *wanted) = source, target
    sides = list(zip(size, wanted, strict=True))
    if all(side == 2 * goal for side, goal in sides):
        return {"conv": nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)}
    if all(2 * side == goal for side, goal in sides):
        return {"conv": nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)}
    shrink = tuple(1 + side - goal for side, goal in sides)
    if all(1 <= kernel <= LARGEST_KERNEL for kernel in shrink):
        return {"conv": nn.Conv2d(inputs, outputs, _pair(shrink))}
    stride = tuple(goal // side for side, goal in sides)
    grow = tuple(goal - s * (side - 1) for s, (side, goal) in zip(stride, sides, strict=True))
    if min(stride) >= 1 and max(grow) <= LARGEST_KERNEL:
        return {"conv": nn.ConvTranspose2d(inputs, outputs, _pair(grow), stride=_pair(stride))}
    pool, conv = AveragePool(_pair(tuple(wanted))), nn.Conv2d(inputs, outputs, 1)
    smaller = math.prod(wanted) < math.prod(size)
    return {"pool": pool, "conv": conv} if smaller else {"conv": conv, "pool": pool}


def _pair(sides: tuple[int, ...]) -> tuple[int, int]:
    height, width = sides
    return height, width


def _as_map(shape: Shape) -> tuple[nn.Module, tuple[int, int, int]]:
    """A module that lays out a feature of ``shape`` as a map, and the shape of that map."""
    match shape:
        case channels, height, width:
            return nn.Identity(), (channels, height, width)
        case count, channels:
            grid = token_grid(count)
            return TokensToMap(grid), (channels, grid.rows, grid.columns)
    (channels,) = shape
    return nn.Unflatten(1, (channels, 1, 1)), (channels, 1, 1)


MOST_PREFIX_TOKENS = 5
"""A class token and four registers."""


class TokenGrid(NamedTuple):
    """The layout of tokens: ``prefix`` tokens without a place, then a grid, row by row."""

    prefix: int
    rows: int
    columns: int


def token_grid(count: int) -> TokenGrid:
    """Lay out ``count`` tokens: a square after as few prefix tokens as possible, else one row.

    >>> token_grid(197)
    TokenGrid(prefix=1, rows=14, columns=14)
    """
    for prefix in range(min(count, MOST_PREFIX_TOKENS + 1)):
        side = isqrt(count - prefix)
        if side * side == count - prefix:
            return TokenGrid(prefix, side, side)
    return TokenGrid(0, 1, count)


class TokensToMap(nn.Module):
    """Turns tokens (B, N, C) into a map (B, C, rows, columns), without the prefix tokens."""

    def __init__(self, grid: TokenGrid) -> None:
        """Lay the tokens out on ``grid``."""
        super().__init__()
        self.grid = grid

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, C) to (B, C, rows, columns)."""
        tokens = x[:, self.grid.prefix :]
        return tokens.mT.reshape(len(x), -1, self.grid.rows, self.grid.columns)


class MapToTokens(nn.Module):
    """Turns a map (B, C, rows, columns) into tokens (B, N, C); prefix tokens get the mean."""

    def __init__(self, grid: TokenGrid) -> None:
        """Read the tokens off ``grid``."""
        super().__init__()
        self.grid = grid

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, rows, columns) to (B, N, C)."""
        tokens = x.flatten(2).mT
        prefix = tokens.mean(dim=1, keepdim=True).expand(-1, self.grid.prefix, -1)
        return torch.cat([prefix, tokens], dim=1)


class MeanOverPositions(nn.Module):
    """Averages a map (B, C, H, W) or tokens (B, N, C) to a vector (B, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) or (B, N, C) to (B, C)."""
        tokens = x.flatten(2).mT if x.dim() > len("BNC") else x
        return tokens.mean(dim=1)
