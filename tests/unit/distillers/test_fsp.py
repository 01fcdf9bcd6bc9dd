"""The flow of solution equals its formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller

SHAPES = [(2, 4, 4), (3, 2, 2), (2, 2, 2)]
WIDE = [(14, 4, 4), (13, 2, 2), (14, 2, 2)]
"""So many channels that products of positions are cheaper."""
Maps = list[list[list[float]]]


def halved(maps: Maps) -> Maps:
    corners = [0, 2]
    return [
        [
            [(m[i][j] + m[i][j + 1] + m[i + 1][j] + m[i + 1][j + 1]) / 4 for j in corners]
            for i in corners
        ]
        for m in maps
    ]


def flow(first: Maps, second: Maps) -> list[float]:
    if len(first[0]) > len(second[0]):
        first = halved(first)
    places = [(i, j) for i in range(2) for j in range(2)]
    return [
        math.fsum(a[i][j] * b[i][j] for i, j in places) / len(places) for a in first for b in second
    ]


def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    total, count = 0.0, len(student[0])
    for b in range(count):
        flows = [
            [flow(x, y) for x, y in pairwise(maps[b].tolist() for maps in side)]
            for side in (student, teacher)
        ]
        for ours, theirs in zip(*flows, strict=True):
            squares = [(x - y) ** 2 for x, y in zip(ours, theirs, strict=True)]
            total += math.fsum(squares) / len(squares)
    return total / count


def test_either_formula_divides_by_the_channels_in_a_large_batch(
    build: Callable[..., Distiller],
) -> None:
    first, second = ([torch.randn(40, c, 2, 2).double() for _ in range(2)] for c in (14, 13))
    pairs = ((x.flatten(2), y.flatten(2)) for x, y in zip(first, second, strict=True))
    ours, theirs = (torch.einsum("bip,bjp->bij", *pair) / 4 for pair in pairs)
    error = build("fsp", WIDE, WIDE).error(tuple(first), tuple(second))
    torch.testing.assert_close(error, (ours - theirs).square().mean(dim=(1, 2)))


@pytest.mark.parametrize("shapes", [SHAPES, WIDE])
@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_every_channel_is_related_to_every_channel_of_the_next_stage(
    shapes: list[tuple[int, int, int]],
    mask: list[bool],
    seed: int,
    build: Callable[..., Distiller],
    assert_by_hand: Callable[..., None],
) -> None:
    assert_by_hand(build("fsp", shapes, shapes), by_hand, mask, seed)
