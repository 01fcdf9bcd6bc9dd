"""How features lie in memory."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class Layout(Enum):
    """What the axes of a feature are, batch axis left out."""

    MAP = "map (C, H, W)"
    CHANNELS_LAST = "map (H, W, C)"
    TOKENS = "tokens (N, C)"
    VECTOR = "vector (C,)"


def layouts_of(shape: tuple[int, ...], image_shape: tuple[int, ...]) -> tuple[Layout, ...]:
    """What a feature of ``shape`` can be, made of images (C, H, W); nothing if it is none.

    A map is a scaled-down image; where the numbers fit both ways, it may have either layout.
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
    """One layout each: a map of unsure layout follows the nearest sure one, else channels first."""
    maps = {(Layout.MAP,), (Layout.CHANNELS_LAST,)}
    sure = [k for k, layouts in enumerate(possible) if layouts in maps]
    settled = []
    for k, layouts in enumerate(possible):
        nearest = min(sure, key=lambda other: abs(other - k), default=k)
        settled.append(possible[nearest][0] if len(layouts) > 1 else layouts[0])
    return settled
