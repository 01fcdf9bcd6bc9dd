"""The loss of triplets equals its formula, and has nothing to ask of classes far apart."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller

Build = Callable[..., Distiller]
LossOf = Callable[..., Tensor]
LABELS = [0, 1, 2, 3, 0]


def distance(teacher: list[float], student: list[float]) -> float:
    return math.hypot(*(t - s + 1e-6 for t, s in zip(teacher, student, strict=True)))


def by_hand(student: list[list[float]], teacher: list[list[float]], labels: list[int]) -> float:
    total, places = 0.0, range(len(labels))
    for b in places:
        near = distance(teacher[b], student[b])
        each = [
            max(0.0, near - distance(teacher[b], student[j]) + 2.0)
            for j in places
            if labels[j] != labels[b]
        ]
        total += math.fsum(each) / max(1, len(each))
    return total / len(labels)


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
@example(mask=[True, True, False, False, False], seed=0)
def test_the_students_logits_of_other_classes_are_kept_away(
    mask: list[bool], seed: int, build: Build, loss_of: LossOf
) -> None:
    source = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, 5, 6, generator=source, dtype=torch.float64)
    chosen = torch.tensor(mask)
    expected = 0.0
    if any(mask):
        labels = [label for label, seen in zip(LABELS, mask, strict=True) if seen]
        rows = student[chosen].tolist(), teacher[chosen].tolist()
        expected = by_hand(*rows, labels) * sum(mask) / 5
    triplet = build("triplet", [(6,)], [(6,)], margin=2.0)
    ours = loss_of(triplet, [student], [teacher], chosen)
    assert float(ours) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("apart", "learnt"), [(6.0, True), (4.0, False)])
def test_nothing_is_asked_where_classes_are_a_margin_apart(
    apart: float, learnt: bool, build: Build, loss_of: LossOf
) -> None:
    logits = apart * torch.eye(6, dtype=torch.float64)[LABELS] / math.sqrt(2)
    everybody = torch.ones(5, dtype=torch.bool)
    loss = loss_of(build("triplet", [(6,)], [(6,)]), [logits], [logits], everybody)
    assert (float(loss) == 0) == learnt


def test_samples_of_one_class_ask_for_nothing(build: Build, loss_of: LossOf) -> None:
    student, teacher = torch.randn(2, 5, 6, dtype=torch.float64)
    same = torch.tensor([True, False, False, False, True])
    assert float(loss_of(build("triplet", [(6,)], [(6,)]), [student], [teacher], same)) == 0
