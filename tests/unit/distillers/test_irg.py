"""The graph of instances and its changes equal their formulas, whatever the scale."""

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


def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    def edges(rows: list[list[float]]) -> list[float]:
        squares = [math.dist(a, b) ** 2 for a in rows for b in rows]
        return [square / (max(squares) or 1.0) for square in squares]

    pairs = zip(edges(student[0].tolist()), edges(teacher[0].tolist()), strict=True)
    return math.fsum((s - t) ** 2 for s, t in pairs) / (2 * len(student[0]))


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_distances_among_the_chosen_are_shares_of_the_largest(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    assert_by_hand(build("irg", [(3,)], [(4,)]), by_hand, mask, seed)


def test_a_student_may_have_its_own_scale_and_place(build: Build, loss_of: LossOf) -> None:
    teacher = torch.randn(5, 4, dtype=torch.float64)
    everybody = torch.ones(5, dtype=torch.bool)
    irg = build("irg", [(4,)], [(4,)])
    assert float(loss_of(irg, [3 * teacher - 1], [teacher], everybody)) < 1e-12


def moves_by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    """Take the first two maps and the last two, between which the channels change."""

    def shares(first: Tensor, last: Tensor) -> list[float]:
        ends = (maps.mean(dim=(2, 3)).tolist() for maps in (first, last))
        squares = [math.dist(a, b) ** 2 for a, b in zip(*ends, strict=True)]
        return [square / (max(squares) or 1.0) for square in squares]

    total = 0.0
    for k in (0, 2):
        pairs = zip(shares(*student[k : k + 2]), shares(*teacher[k : k + 2]), strict=True)
        total += math.fsum((s - t) ** 2 for s, t in pairs) / 2
    return total


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_moves_between_maps_of_equal_channels_are_shares_of_the_farthest(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    sides = [(4, 4), (3, 2), (2, 2), (1, 3)]
    student, teacher = (
        [(c, *side) for c, side in zip(widths, sides, strict=True)]
        for widths in ([2, 2, 4, 4], [3, 3, 5, 5])
    )
    assert_by_hand(build("irg_transform", student, teacher), moves_by_hand, mask, seed)


def test_a_single_map_has_not_moved(build: Build) -> None:
    transform = build("irg_transform", [(2, 3, 3)] * 2, [(2, 3, 3)] * 2)
    maps, everybody = torch.randn(5, 2, 3, 3), torch.ones(5, dtype=torch.bool)
    assert transform.loss(0, maps, -maps, None, everybody) == 0


def test_networks_whose_maps_all_differ_in_channels_are_refused(build: Build) -> None:
    shapes = [(2, 3, 3), (4, 3, 3)]
    with pytest.raises(UserError, match=r"\[2, 4\].*blocks"):
        build("irg_transform", shapes, [(4, 3, 3), (4, 3, 3)])
