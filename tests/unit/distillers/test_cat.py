"""The alignment of kernels equals its formula, whatever the scale of features."""

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
    def kernel(features: Tensor) -> list[float]:
        rows = features.flatten(1).tolist()
        return [math.fsum(x * y for x, y in zip(a, b, strict=True)) for a in rows for b in rows]

    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        ours, theirs = kernel(s), kernel(t)
        product = math.fsum(x * y for x, y in zip(ours, theirs, strict=True))
        total += 1 - product / (math.hypot(*ours) * math.hypot(*theirs))
    return total


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_kernels_of_the_chosen_are_aligned_at_every_stage(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    cat = build("cat", [(2, 3, 3), (3, 2, 2)], [(4, 2, 2), (3, 1, 1)])
    assert_by_hand(cat, by_hand, mask, seed)


def test_a_student_may_have_its_own_scale_and_directions(build: Build, loss_of: LossOf) -> None:
    teacher = torch.randn(5, 4, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64)).Q
    everybody = torch.ones(5, dtype=torch.bool)
    cat = build("cat", [(4,)], [(4,)])
    assert float(loss_of(cat, [3 * teacher @ rotation], [teacher], everybody)) < 1e-12
    assert float(loss_of(cat, [teacher + 1], [teacher], everybody)) > 1e-6
