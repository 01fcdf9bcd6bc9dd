"""The similarities between regions equal their formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]
LossOf = Callable[..., Tensor]


def regions(maps: list[list[list[float]]]) -> list[list[float]]:
    """List the largest values of each channel in the four quarters of a 4x4 map."""
    corners = [(y, x) for y in (0, 2) for x in (0, 2)]
    return [
        [max(channel[y + i][x + j] for i in (0, 1) for j in (0, 1)) for channel in maps]
        for y, x in corners
    ]


def similarity(a: list[float], b: list[float]) -> float:
    product = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return product / ((math.hypot(*a) + 1e-8) * (math.hypot(*b) + 1e-8))


def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    total = 0.0
    for s, t in zip(student[0].tolist(), teacher[0].tolist(), strict=True):
        ours, theirs = regions(s), regions(t)
        pairs = [(m, n) for m in range(4) for n in range(4)]
        errors = [
            (similarity(ours[m], ours[n]) - similarity(theirs[m], theirs[n])) ** 2 for m, n in pairs
        ]
        total += math.fsum(errors) / 16
    return total / len(student[0])


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_quarters_of_an_image_are_as_alike_as_in_the_teacher(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    assert_by_hand(build("skd", [(2, 4, 4)], [(3, 4, 4)]), by_hand, mask, seed)


@pytest.mark.parametrize(("patch", "count"), [(1.0, 1), (0.5, 9), (0.01, 25)])
def test_regions_cover_the_map_and_have_a_position_at_least(
    patch: float, count: int, build: Build
) -> None:
    skd = build("skd", [(2, 5, 5)], [(2, 5, 5)], patch=patch)
    assert skd.similarities(torch.randn(3, 2, 5, 5)).shape == (3, count, count)


@pytest.mark.parametrize("patch", [0.0, 1.5])
def test_other_patches_are_refused(patch: float, build: Build) -> None:
    with pytest.raises(UserError, match="patch must be above 0 and at most 1"):
        build("skd", [(2, 5, 5)], [(2, 5, 5)], patch=patch)
