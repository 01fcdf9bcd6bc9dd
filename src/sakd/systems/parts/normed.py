"""Features scaled to length 1: position by position, or each as a whole."""

from __future__ import annotations

from torch import Tensor

from sakd.distillers.parts.maps import units


def by_position(maps: Tensor) -> Tensor:
    """Scale the channels of maps (B, C, H, W) to length 1 at every position; zeros stay."""
    return units(maps.movedim(1, -1)).movedim(-1, 1)


def by_sample(features: Tensor) -> Tensor:
    """Scale features (B, ...) to length 1, each as a whole."""
    return units(features.flatten(1)).view_as(features)
