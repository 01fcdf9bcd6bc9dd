"""Activation boundaries equal their formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.distillers import Distiller

Build = Callable[..., Distiller]
SHAPES = [(2, 3, 3), (3, 2, 2)]


def missed(student: float, teacher: float) -> float:
    if student > -1 and teacher <= 0:
        return (student + 1) ** 2
    return (student - 1) ** 2 if student <= 1 and teacher > 0 else 0.0


def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    total = 0.0
    for s, t, weight in zip(student, teacher, (0.5, 1.0), strict=True):
        pairs = zip(s.flatten().tolist(), t.flatten().tolist(), strict=True)
        total += 0.003 * weight * math.fsum(missed(a, b) for a, b in pairs)
    return total / len(student[0])


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_a_neuron_on_the_wrong_side_pays_its_distance_to_the_margin(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    assert_by_hand(build("ab", SHAPES, SHAPES), by_hand, mask, seed)


def test_beyond_the_margin_on_the_teachers_side_there_is_nothing_to_learn(
    build: Build, loss_of: Callable[..., Tensor]
) -> None:
    teacher = [torch.randn(5, *shape, dtype=torch.float64) for shape in SHAPES]
    student = [1.5 * maps.sign() for maps in teacher]
    everybody = torch.ones(5, dtype=torch.bool)
    assert loss_of(build("ab", SHAPES, SHAPES), student, teacher, everybody) == 0
    wide = build("ab", SHAPES, SHAPES, margin=2.0)
    assert loss_of(wide, student, teacher, everybody) > 0


def test_a_teacher_of_zeros_is_silent(build: Build, loss_of: Callable[..., Tensor]) -> None:
    ab = build("ab", [(2, 3, 3)], [(2, 3, 3)])
    zeros, everybody = torch.zeros(5, 2, 3, 3).double(), torch.ones(5, dtype=torch.bool)
    assert loss_of(ab, [zeros - 1], [zeros], everybody) == 0
    assert float(loss_of(ab, [zeros + 1], [zeros], everybody)) == pytest.approx(0.003 * 18 * 4)


def test_other_channels_come_through_a_connector(build: Build) -> None:
    ab = build("ab", SHAPES, [(2, 3, 3), (4, 2, 2)])
    assert isinstance(ab.connectors[0], nn.Identity)
    assert ab.connectors[1](torch.randn(5, 3, 2, 2, dtype=torch.float64)).shape == (5, 4, 2, 2)
