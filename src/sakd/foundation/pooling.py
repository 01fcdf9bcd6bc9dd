"""Averages of maps over windows of any size, which a GPU can also repeat to the bit."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from sakd.foundation.determinism import is_deterministic


def average_to(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Average maps (B, C, H, W) to the height and width of ``size``: adaptive average pooling.

    Torch has no deterministic gradient of that operation for a GPU. Where deterministic operations
    are asked for there, two products take its place.
    """
    if is_refused(maps):
        return average_by_products(maps, size)
    return adaptive_avg_pool2d(maps, size)


def is_refused(maps: Tensor) -> bool:
    """Tell whether torch refuses the gradient of adaptive average pooling for such ``maps``."""
    return maps.is_cuda and is_deterministic()


def average_by_products(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Average maps (B, C, H, W) as `average_to` does, by a product along each side."""
    exact = torch.promote_types(maps.dtype, torch.float32)
    rows, columns = (
        _shares(side, goal, maps.device).to(exact)
        for side, goal in zip(maps.shape[2:], size, strict=True)
    )
    with torch.autocast(maps.device.type, enabled=False):
        return (rows @ maps.to(exact) @ columns.T).to(maps.dtype)


def _shares(side: int, goal: int, device: torch.device) -> Tensor:
    """Compute the share (goal, side) of each position in each window.

    Window i of G reaches from floor(i S / G) up to, but not including, ceil((i + 1) S / G). It is
    made on the ``device``, so that no step waits and a graph can record it.
    """
    window = torch.arange(goal, device=device)[:, None]
    position = torch.arange(side, device=device)
    first, end = window * side // goal, -(-(window + 1) * side // goal)
    return ((position >= first) & (position < end)).double() / (end - first)


class AveragePool(nn.Module):
    """Averages maps (B, C, H, W) to (B, C, *size), see `average_to`."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Average to the height and width of ``size``."""
        super().__init__()
        self.size = size

    def forward(self, maps: Tensor) -> Tensor:
        """Average maps (B, C, H, W)."""
        return average_to(maps, self.size)
