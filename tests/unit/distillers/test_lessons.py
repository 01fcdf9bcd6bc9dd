"""Knowledge adjustment and dynamic temperatures equal their formulas, class by class."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller

Row = list[float]
Build = Callable[..., Distiller]
LossOf = Callable[..., Tensor]

masks = st.lists(st.booleans(), min_size=5, max_size=5)
seeds = st.integers(0, 1000)
LABELS = (0, 1, 2, 3, 0)


def draw(seed: int) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, 5, 6, generator=source, dtype=torch.float64)
    return student, teacher


def softened(logits: Row, temperature: float) -> Row:
    powers = [math.exp(z / temperature) for z in logits]
    return [power / math.fsum(powers) for power in powers]


def kl(teacher: Row, student: Row) -> float:
    return math.fsum(p * math.log(p / q) for p, q in zip(teacher, student, strict=True))


def exchanged(chances: Row, label: int) -> Row:
    top = chances.index(max(chances))
    right = list(chances)
    right[top], right[label] = chances[label], chances[top]
    return right


def smoothed(chances: Row, label: int) -> Row:
    if chances.index(max(chances)) == label:
        return chances
    return [0.8 if k == label else 0.2 / 5 for k in range(6)]


@pytest.mark.parametrize("smooth", [False, True])
@given(mask=masks, seed=seeds)
def test_a_wrong_teacher_is_put_right(
    smooth: bool, mask: list[bool], seed: int, build: Build, loss_of: LossOf
) -> None:
    student, teacher = draw(seed)
    adjust = smoothed if smooth else exchanged
    rows = zip(student.tolist(), teacher.tolist(), LABELS, mask, strict=True)
    each = [
        4 * kl(adjust(softened(t, 2.0), label), softened(s, 2.0))
        for s, t, label, chosen in rows
        if chosen
    ]
    ka = build("ka", [(6,)], [(6,)], temperature=2.0, smooth=smooth, epsilon=0.2)
    ours = loss_of(ka, [student], [teacher], torch.tensor(mask))
    assert float(ours) == pytest.approx(math.fsum(each) / 5, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("smooth", [False, True])
def test_a_teacher_that_is_right_is_left_as_it_is(
    smooth: bool, build: Build, loss_of: LossOf
) -> None:
    student, teacher = draw(0)
    teacher[torch.arange(5), list(LABELS)] += 10
    everybody = torch.ones(5, dtype=torch.bool)
    ka, kd = build("ka", [(6,)], [(6,)], smooth=smooth), build("kd", [(6,)], [(6,)])
    losses = (loss_of(distiller, [student], [teacher], everybody) for distiller in (ka, kd))
    torch.testing.assert_close(*losses)


def hardness(student: Row, teacher: Row, gamma: float, *, by_confidence: bool) -> float:
    if by_confidence:
        return 1 / (max(softened(student, 1.0)) + 1e-3)
    units = [[z / (math.hypot(*row) + 1e-4) for z in row] for row in (student, teacher)]
    return (1 - math.fsum(a * b for a, b in zip(*units, strict=True))) ** gamma


@pytest.mark.parametrize("by_confidence", [False, True])
@pytest.mark.parametrize("adjust", [False, True])
@given(mask=masks, seed=seeds)
@example(mask=[False, True, False, False, False], seed=0)
def test_a_sample_that_is_harder_than_the_others_is_softened_less(
    by_confidence: bool, adjust: bool, mask: list[bool], seed: int, build: Build, loss_of: LossOf
) -> None:
    student, teacher = draw(seed)
    rows = list(zip(student.tolist(), teacher.tolist(), LABELS, strict=True))
    seen = [row for row, chosen in zip(rows, mask, strict=True) if chosen]
    hard = [hardness(s, t, 0.5, by_confidence=by_confidence) for s, t, _ in seen]
    total = 0.0
    for (s, t, label), w in zip(seen, hard, strict=True):
        temperature = max(1.0, 3 + 4 * (math.fsum(hard) / len(hard) - w))
        logits = exchanged(t, label) if adjust else t
        total += temperature**2 * kl(softened(logits, temperature), softened(s, temperature))
    options = {"temperature": 3.0, "beta": 4.0, "gamma": 0.5}
    dtd = build("dtd", [(6,)], [(6,)], by_confidence=by_confidence, adjust=adjust, **options)
    ours = loss_of(dtd, [student], [teacher], torch.tensor(mask))
    assert float(ours) == pytest.approx(total / 5, rel=1e-9, abs=1e-12)


def test_without_beta_all_samples_have_one_temperature(build: Build, loss_of: LossOf) -> None:
    student, teacher = draw(1)
    everybody = torch.ones(5, dtype=torch.bool)
    dtd = build("dtd", [(6,)], [(6,)], beta=0.0)
    kd = build("kd", [(6,)], [(6,)], temperature=10.0)
    losses = (loss_of(distiller, [student], [teacher], everybody) for distiller in (dtd, kd))
    torch.testing.assert_close(*losses)


def test_temperatures_stay_above_zero_whatever_beta(build: Build) -> None:
    student, teacher = draw(2)
    everybody = torch.ones(5, dtype=torch.bool)
    dtd = build("dtd", [(6,)], [(6,)], beta=80.0)
    temperatures = dtd.temperatures(student.requires_grad_(), teacher, everybody)
    assert float(temperatures.min()) == 1
    assert not temperatures.requires_grad
