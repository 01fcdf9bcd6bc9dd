"""Channel-wise distillation equals its formula, and needs positions to compare."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]
SHAPES = [(2, 3, 3), (3, 2, 2)]
T = 2.0


def softened(row: list[float]) -> list[float]:
    powers = [math.exp(x / T) for x in row]
    return [power / math.fsum(powers) for power in powers]


def channels(maps: Tensor) -> list[list[float]]:
    return maps.flatten(2).flatten(0, 1).tolist()


def positions(maps: Tensor) -> list[list[float]]:
    return maps.movedim(1, -1).flatten(0, 2).tolist()


def by_hand(
    student: list[Tensor],
    teacher: list[Tensor],
    rows: Callable[[Tensor], list[list[float]]] = channels,
) -> float:
    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        both = zip(rows(s), rows(t), strict=True)
        pairs = [zip(softened(a), softened(b), strict=True) for a, b in both]
        each = [math.fsum(p * math.log(p / q) for q, p in pair) for pair in pairs]
        total += T * T * math.fsum(each) / len(each)
    return total


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_the_positions_of_each_channel_are_a_distribution(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    assert_by_hand(build("cwd", SHAPES, SHAPES, temperature=T), by_hand, mask, seed)


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_or_the_channels_of_each_position_are(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    cwd = build("cwd", SHAPES, SHAPES, temperature=T, spatial=True)
    assert_by_hand(cwd, partial(by_hand, rows=positions), mask, seed)


def test_a_channel_may_be_stronger_everywhere_by_the_same_amount(
    build: Build, loss_of: Callable[..., Tensor]
) -> None:
    teacher = [torch.randn(5, *shape, dtype=torch.float64) for shape in SHAPES]
    student = [maps + 3.0 for maps in teacher]
    everybody = torch.ones(5, dtype=torch.bool)
    assert float(loss_of(build("cwd", SHAPES, SHAPES), student, teacher, everybody)) < 1e-12


def test_other_channels_are_projected_and_other_sizes_averaged(
    build: Build, loss_of: Callable[..., Tensor]
) -> None:
    cwd = build("cwd", [(2, 4, 4)], [(3, 2, 2)])
    student, teacher = torch.randn(5, 2, 4, 4).double(), torch.randn(5, 3, 2, 2).double()
    everybody = torch.ones(5, dtype=torch.bool)
    pooled = torch.nn.functional.avg_pool2d(cwd.projections[0](student), 2)
    expected = loss_of(build("cwd", [(3, 2, 2)], [(3, 2, 2)]), [pooled], [teacher], everybody)
    torch.testing.assert_close(loss_of(cwd, [student], [teacher], everybody), expected)


def test_maps_of_one_position_are_refused_unless_others_have_more(build: Build) -> None:
    build("cwd", [(2, 1, 2), (2, 1, 1)], [(2, 3, 3), (2, 3, 3)])
    with pytest.raises(UserError, match=r"one each.* larger images"):
        build("cwd", [(2, 1, 1)], [(2, 3, 3)])
