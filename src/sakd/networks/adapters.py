"""Adapters: small trainable maps from one network's feature shape to another's."""

from __future__ import annotations

import math
from collections import OrderedDict

from torch import nn

from sakd.networks.reshaping import (
    MapToTokens,
    MeanOverPositions,
    TokensToMap,
    token_grid,
)

Shape = tuple[int, ...]

LARGEST_KERNEL = 7
"""Sizes so far apart that they need a larger kernel are met by pooling, and a kernel of 1."""


def adapter(source: Shape, target: Shape) -> nn.Module:
    """A module from features of shape ``source`` to ``target`` (batch axis left out).

    A shape is that of a map (C, H, W), of tokens (N, C) or of a vector (C,). To a map leads a
    convolution with batch norm and rectifier; to tokens and vectors, whose values may be
    negative, a linear layer or a bare convolution. Tokens of another number are made by way of a
    map, see `sakd.networks.reshaping.token_grid`.
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
            return nn.Sequential(first, *conv.values(), MapToTokens(grid))
    first, shape = _as_map(source)
    return nn.Sequential(first, convolutional_regressor(shape, target))


def convolutional_regressor(source: Shape, target: Shape) -> nn.Module:
    """Convolution, batch norm, rectifier from maps (C, H, W) of one size to another.

    Romero et al., ICLR 2015, arXiv:1412.6550, section 2.2, with the geometry of the SAKD
    reference: stride 2 where the size halves or doubles, otherwise the kernel that fits.
    Differs from the reference: where that kernel is larger than `LARGEST_KERNEL`, or one side
    grows and the other shrinks, the map is pooled (or repeated) to size and the kernel is 1.
    """
    layers = _convolution(source, target)
    layers |= {"bn": nn.BatchNorm2d(target[0]), "relu": nn.ReLU()}
    return nn.Sequential(OrderedDict(layers))


def _convolution(source: Shape, target: Shape) -> dict[str, nn.Module]:
    """The layers that change the size and the channels of a map."""
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
    pool, conv = nn.AdaptiveAvgPool2d(_pair(tuple(wanted))), nn.Conv2d(inputs, outputs, 1)
    smaller = math.prod(wanted) < math.prod(size)
    return {"pool": pool, "conv": conv} if smaller else {"conv": conv, "pool": pool}


def _pair(sides: tuple[int, ...]) -> tuple[int, int]:
    height, width = sides
    return height, width


def _as_map(shape: Shape) -> tuple[nn.Module, tuple[int, int, int]]:
    """What makes a map of a feature of ``shape``, and the shape of that map."""
    match shape:
        case channels, height, width:
            return nn.Identity(), (channels, height, width)
        case count, channels:
            grid = token_grid(count)
            return TokensToMap(grid), (channels, grid.rows, grid.columns)
    (channels,) = shape
    return nn.Unflatten(1, (channels, 1, 1)), (channels, 1, 1)
