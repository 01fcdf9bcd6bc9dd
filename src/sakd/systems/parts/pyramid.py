"""A pyramid over the maps of a network that passes what it sees up, down, and sideways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool2d, interpolate, max_pool2d, pad, relu

from sakd.networks.zoo.blocks import conv_bn, conv_bn_relu
from sakd.systems.parts.heads import separable

EPSILON = 1e-6
"""Added to the sum of weights that maps are divided by."""


class Fusion(nn.Module):
    """The weighted mean of maps, then two separable convolutions with a rectifier between."""

    def __init__(self, inputs: int, width: int) -> None:
        """Fuse ``inputs`` maps of ``width`` channels, equally at first."""
        super().__init__()
        self.weights = nn.Parameter(torch.ones(inputs))
        layers = [*separable(width, width, 1), nn.ReLU(), *separable(width, width, 1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, *maps: Tensor) -> Tensor:
        """Fuse ``maps``, each (B, C, H, W); they are rectified."""
        weights = relu(self.weights)
        weights = weights / (weights.sum() + EPSILON)
        parts = [weight * relu(one) for weight, one in zip(weights, maps, strict=True)]
        fused: Tensor = self.layers(sum(parts[1:], parts[0]))
        return fused


class Pyramid(nn.Module):
    """A bi-directional pyramid that classifies, as in the code of FRSKD's authors.

    Of maps F_1..F_n of C_i channels, rectified, it makes maps R_1..R_n of 2 C_i channels and the
    same sizes. A way up, from the deepest: U_n is a 1x1 convolution of F_n, and U_i fuses that of
    F_i with U_(i+1). A way down: D_1 = U_1, and D_i fuses another 1x1 convolution of F_i, U_i (but
    for i = n), and D_(i-1). R_i is D_i, rectified, and the logits are a linear function of R_n,
    averaged over positions.
    """

    def __init__(self, widths: Sequence[int], classes: int) -> None:
        """Take maps of ``widths`` channels, two or more, for ``classes``."""
        super().__init__()
        wide = [2 * width for width in widths]
        steps, last = list(pairwise(wide)), len(widths) - 2
        self.sideways = _list(conv_bn_relu(c, 2 * c) for c in widths)
        self.sideways_again = _list(conv_bn_relu(c, 2 * c) for c in widths[1:])
        self.raised = _list(conv_bn(deep, shallow) for shallow, deep in steps)
        self.lowered = _list(conv_bn(shallow, deep) for shallow, deep in steps)
        self.up = _list(Fusion(2, shallow) for shallow, _ in steps)
        self.down = _list(Fusion(2 if k == last else 3, c) for k, (_, c) in enumerate(steps))
        self.classifier = nn.Linear(wide[-1], classes)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Map ``maps``, each (B, C_i, H_i, W_i), to logits (B, K) and to R_1..R_n."""
        maps = [relu(one) for one in maps]
        above = [side(one) for side, one in zip(self.sideways, maps, strict=True)]
        for k in reversed(range(len(self.up))):
            raised = self.raised[k](enlarged(relu(above[k + 1]), above[k].shape[2:]))
            above[k] = self.up[k](above[k], raised)
        below = [above[0]]
        for k, side in enumerate(self.sideways_again):
            lowered = self.lowered[k](shrunk(relu(below[k]), maps[k + 1].shape[2:]))
            middle = above[k + 1 : k + 2] if k + 1 < len(self.up) else []
            below.append(self.down[k](side(maps[k + 1]), *middle, lowered))
        shown = [relu(one) for one in below]
        return self.classifier(shown[-1].mean(dim=(2, 3))), shown


def enlarged(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Repeat positions of ``maps`` (B, C, H, W) up to another ``size``, the nearest each."""
    return interpolate(maps, size=tuple(size), mode="nearest")


def shrunk(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Take the largest values of ``maps`` (B, C, H, W), none negative, down to another ``size``.

    Where sizes halve, of windows of 3x3 that begin at every second position; zeros are added right
    and below for even sizes, and on all sides for odd ones.
    """
    if any(new != -(-old // 2) for old, new in zip(maps.shape[2:], size, strict=True)):
        return adaptive_max_pool2d(maps, tuple(size))
    height, width = (old % 2 for old in maps.shape[2:])  # added before the first position
    return max_pool2d(pad(maps, [width, 1, height, 1]), 3, stride=2)


def _list(modules: Iterable[nn.Module]) -> nn.ModuleList:
    return nn.ModuleList(modules)
