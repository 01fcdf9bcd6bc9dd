"""The order of the axes of features."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class Layout(Enum):
    """The meaning of a feature's axes, batch axis left out."""

    MAP = "map (C, H, W)"
    CHANNELS_LAST = "map (H, W, C)"
    TOKENS = "tokens (N, C)"
    VECTOR = "vector (C,)"


def layouts_of(shape: tuple[int, ...], image_shape: tuple[int, ...]) -> tuple[Layout, ...]:
    """List the layouts that a feature of ``shape`` can have; none if it is not a feature.

    A map has the proportions of the images (C, H, W); where both layouts fit, both are listed.
    """
    match shape:
        case (_,):
            return (Layout.VECTOR,)
        case (_, _):
            return (Layout.TOKENS,)
        case (first, second, third):
            sizes = {Layout.MAP: (second, third), Layout.CHANNELS_LAST: (first, second)}
            _, height, width = image_shape
            bent = {k: abs(rows * width - columns * height) for k, (rows, columns) in sizes.items()}
            rounding = 0 if height == width else max(height, width)
            least = min(*bent.values(), rounding)
            return tuple(layout for layout in sizes if bent[layout] == least)
    return ()


def settle(possible: Sequence[tuple[Layout, ...]]) -> list[Layout]:
    """Choose a layout each; an ambiguous map follows the nearest clear one, else channels first."""
    maps = {(Layout.MAP,), (Layout.CHANNELS_LAST,)}
    sure = [k for k, layouts in enumerate(possible) if layouts in maps]
    settled = []
    for k, layouts in enumerate(possible):
        nearest = min(sure, key=lambda other: abs(other - k), default=k)
        settled.append(possible[nearest][0] if len(layouts) > 1 else layouts[0])
    return settled
