"""The graph of instances equals its formula, whatever the scale of the embeddings."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller

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
