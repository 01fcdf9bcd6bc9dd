"""The loss for a reused classifier equals its formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller

SHAPE = (2, 2, 4)


def averaged(row: list[float], width: int) -> list[float]:
    group = len(row) // width
    return [math.fsum(row[k * group : (k + 1) * group]) / group for k in range(width)]


def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    errors = []
    for ours, theirs in zip(student[0].tolist(), teacher[0].tolist(), strict=True):
        for map_s, map_t in zip(ours, theirs, strict=True):
            for row_s, row_t in zip(map_s, map_t, strict=True):
                pairs = zip(row_s, averaged(row_t, len(row_s)), strict=True)
                errors += [(s - t) ** 2 for s, t in pairs]
    return math.fsum(errors) / len(errors)


@pytest.mark.parametrize("student", [SHAPE, (2, 2, 2)])
@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_it_is_the_mean_square_to_the_teachers_map_at_the_students_size(
    student: tuple[int, ...],
    mask: list[bool],
    seed: int,
    build: Callable[..., Distiller],
    assert_by_hand: Callable[..., None],
) -> None:
    assert_by_hand(build("simkd", [student], [SHAPE]), by_hand, mask, seed)
