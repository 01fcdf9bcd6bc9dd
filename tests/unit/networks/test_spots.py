"""Where the spots of a family are, for networks of equal and unequal depth."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakd.networks.spots import Spot, SpotFamily

depths = st.integers(4, 9)


@pytest.mark.parametrize(
    ("family", "equal", "unequal"),
    [
        (SpotFamily.EVERY_STAGE, [(1, 1), (2, 2), (3, 3)], [(1, 2), (2, 3), (3, 4)]),
        (
            SpotFamily.EVERY_MAP,
            [(0, 0), (1, 1), (2, 2), (3, 3)],
            [(0, 0), (1, 2), (2, 3), (3, 4)],
        ),
        (SpotFamily.HINT, [(2, 2)], [(2, 2)]),
        (SpotFamily.LAST_MAP, [(3, 3)], [(3, 4)]),
        (SpotFamily.EMBEDDING, [(4, 4)], [(4, 5)]),
        (SpotFamily.LOGITS, [(5, 5)], [(5, 6)]),
        (SpotFamily.LAST_MAP_AND_LOGITS, [(3, 3), (5, 5)], [(3, 4), (5, 6)]),
    ],
)
def test_spots_are_counted_from_the_end_and_hints_from_the_start(
    family: SpotFamily, equal: list[tuple[int, int]], unequal: list[tuple[int, int]]
) -> None:
    assert list(family.spots(5, 5)) == equal
    assert list(family.spots(5, 6)) == unequal
    assert list(family.spots(6, 5)) == [(teacher, student) for student, teacher in unequal]


@given(st.sampled_from([family for family in SpotFamily if not family.joined]), depths, depths)
def test_spots_lie_inside_both_networks_in_order_of_depth(
    family: SpotFamily, student: int, teacher: int
) -> None:
    spots = family.spots(student, teacher)
    last = student if family is SpotFamily.LOGITS else student - 1
    assert spots
    if family is SpotFamily.EVERY_MAP:
        stem, *spots = spots
        assert stem == Spot(0, 0)
    assert all(1 <= spot.student <= last and 1 <= spot.teacher <= teacher for spot in spots)
    for before, after in pairwise(spots):
        assert after == Spot(before.student + 1, before.teacher + 1)
