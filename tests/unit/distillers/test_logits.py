"""Distillers of the logits equal their formulas, written out class by class."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller
from sakd.distillers.dist import discord, unit
from sakd.distillers.dkd import decoupled
from sakd.distillers.parts.logits import standardised
from sakd.foundation.errors import UserError

Row = list[float]
Build = Callable[..., Distiller]
LossOf = Callable[..., Tensor]
AssertByHand = Callable[..., None]

masks = st.lists(st.booleans(), min_size=5, max_size=5)
seeds = st.integers(0, 1000)


def softened(logits: Row, temperature: float) -> Row:
    powers = [math.exp(z / temperature) for z in logits]
    return [power / math.fsum(powers) for power in powers]


def kl(teacher: Row, student: Row) -> float:
    return math.fsum(p * math.log(p / q) for p, q in zip(teacher, student, strict=True))


def scores(logits: Row) -> Row:
    mean = math.fsum(logits) / len(logits)
    deviation = math.sqrt(math.fsum((z - mean) ** 2 for z in logits) / (len(logits) - 1))
    return [(z - mean) / deviation for z in logits]


def dkd_by_hand(student: Row, teacher: Row, label: int, alpha: float, beta: float) -> float:
    def parts(logits: Row) -> tuple[Row, Row]:
        p = softened(logits, 4.0)
        others = [x / (1 - p[label]) for k, x in enumerate(p) if k != label]
        return [p[label], 1 - p[label]], others

    (label_s, others_s), (label_t, others_t) = parts(student), parts(teacher)
    return 16 * (alpha * kl(label_t, label_s) + beta * kl(others_t, others_s))


def correlation(x: Row, y: Row) -> float:
    dx, dy = ([a - math.fsum(v) / len(v) for a in v] for v in (x, y))
    product = math.fsum(a * b for a, b in zip(dx, dy, strict=True))
    return product / math.sqrt(math.fsum(a * a for a in dx) * math.fsum(b * b for b in dy))


def dist_by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    """Compute the loss with beta 2, gamma 3, tau 4."""
    (s, t) = ([softened(row, 4.0) for row in x[0].tolist()] for x in (student, teacher))
    rows = [1 - correlation(a, b) for a, b in zip(s, t, strict=True)]
    columns = zip(zip(*s, strict=True), zip(*t, strict=True), strict=True)
    classes = [1 - correlation(list(a), list(b)) if len(a) > 1 else 0.0 for a, b in columns]
    return 16 * (2 * math.fsum(rows) / len(rows) + 3 * math.fsum(classes) / len(classes))


def draw(seed: int) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, 5, 6, generator=source, dtype=torch.float64)
    return student, teacher


@given(mask=masks, seed=seeds)
def test_standardised_kd_compares_z_scores(
    mask: list[bool], seed: int, build: Build, assert_by_hand: AssertByHand
) -> None:
    def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
        pairs = zip(student[0].tolist(), teacher[0].tolist(), strict=True)
        each = [4 * kl(softened(scores(t), 2.0), softened(scores(s), 2.0)) for s, t in pairs]
        return math.fsum(each) / len(each)

    kd = build("kd", [(6,)], [(6,)], temperature=2.0, standardise=True)
    assert_by_hand(kd, by_hand, mask, seed)


@pytest.mark.parametrize("name", ["kd", "dkd"])
def test_a_standardised_student_may_have_its_own_scale_and_shift(
    name: str, build: Build, loss_of: LossOf
) -> None:
    student, teacher = draw(0)
    everybody = torch.ones(5, dtype=torch.bool)
    distiller = build(name, [(6,)], [(6,)], standardise=True)
    plain = loss_of(distiller, [student], [teacher], everybody)
    torch.testing.assert_close(loss_of(distiller, [3 * student + 1], [teacher], everybody), plain)
    assert loss_of(distiller, [2 * teacher - 5], [teacher], everybody) == pytest.approx(0, abs=1e-9)


def test_equal_logits_have_z_scores_of_zero_and_a_finite_gradient() -> None:
    logits = torch.full((2, 4), 3.0, requires_grad=True)
    values = standardised(logits)
    assert (values == 0).all()
    (gradient,) = torch.autograd.grad(values[:, 0].sum(), logits)
    assert gradient.isfinite().all()


@pytest.mark.parametrize(("deviation", "score"), [(1.2e-3, 1.0), (0.5e-3, 0.5)])
def test_z_scores_of_nearly_equal_logits_divide_by_a_thousandth(
    deviation: float, score: float
) -> None:
    logits = 3 + deviation * torch.tensor([[-1.0, 0.0, 1.0]], dtype=torch.float64)
    assert standardised(logits).flatten().tolist() == pytest.approx([-score, 0.0, score])


@given(mask=masks, seed=seeds)
def test_dkd_weighs_the_label_and_the_other_classes_apart(
    mask: list[bool], seed: int, build: Build, loss_of: LossOf
) -> None:
    student, teacher = draw(seed)
    rows = zip(student.tolist(), teacher.tolist(), (0, 1, 2, 3, 0), mask, strict=True)
    each = [dkd_by_hand(s, t, label, 0.5, 8.0) for s, t, label, chosen in rows if chosen]
    dkd = build("dkd", [(6,)], [(6,)], alpha=0.5)
    ours = loss_of(dkd, [student], [teacher], torch.tensor(mask))
    assert float(ours) == pytest.approx(math.fsum(each) / 5, rel=1e-9, abs=1e-12)


def test_kd_is_dkd_that_weighs_the_others_by_the_teachers_doubt(
    build: Build, loss_of: LossOf
) -> None:
    student, teacher = draw(1)
    labels = torch.arange(5) % 4
    doubt = 1 - (teacher / 4).softmax(dim=1).gather(1, labels[:, None]).squeeze(1)
    kd = build("kd", [(6,)], [(6,)])
    for chosen, beta in zip(torch.eye(5, dtype=torch.bool), doubt.tolist(), strict=True):
        dkd = build("dkd", [(6,)], [(6,)], beta=beta)
        losses = [loss_of(d, [student], [teacher], chosen) for d in (kd, dkd)]
        torch.testing.assert_close(*losses, rtol=1e-9, atol=0)


@pytest.mark.parametrize(
    "term",
    [
        standardised,
        lambda s: decoupled(s, torch.arange(5) % 2)[1],
        lambda s: discord(s.softmax(dim=1), s.detach().flip(0).softmax(dim=1), torch.ones(2)),
    ],
)
def test_on_two_classes_a_term_that_is_refused_is_constant(
    term: Callable[[Tensor], Tensor],
) -> None:
    student = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    weights = torch.arange(1.0, 6.0)[:, None]
    (gradient,) = torch.autograd.grad((term(student).view(5, -1) * weights).sum(), student)
    assert gradient.abs().max() < 1e-9


def test_a_label_that_is_certain_leaves_finite_parts() -> None:
    logits = torch.tensor([[200.0, 0.0, 1.0], [-200.0, 0.0, 1.0]], requires_grad=True)
    parts = decoupled(logits, torch.zeros(2, dtype=torch.int64))
    assert all(part.isfinite().all() for part in parts)
    (gradient,) = torch.autograd.grad(sum(part.sum() for part in parts), logits)
    assert gradient.isfinite().all()


@given(mask=masks, seed=seeds)
@example(mask=[False, True, False, False, False], seed=0)
def test_dist_correlates_samples_and_classes(
    mask: list[bool], seed: int, build: Build, assert_by_hand: AssertByHand
) -> None:
    dist = build("dist", [(6,)], [(6,)], beta=2.0, gamma=3.0, tau=4.0)
    assert_by_hand(dist, dist_by_hand, mask, seed)


def test_dist_has_nothing_to_match_in_a_teacher_that_is_constant(
    build: Build, loss_of: LossOf
) -> None:
    student, _ = draw(2)
    everybody = torch.ones(5, dtype=torch.bool)
    dist = build("dist", [(6,)], [(6,)])
    assert loss_of(dist, [student], [torch.zeros_like(student)], everybody) == 0


def test_dist_finds_nothing_within_the_classes_of_a_single_sample(
    build: Build, loss_of: LossOf
) -> None:
    student, teacher = draw(4)
    dist = build("dist", [(6,)], [(6,)], beta=0.0)
    assert loss_of(dist, [80 * student], [teacher], torch.arange(5) == 2) == 0


@pytest.mark.parametrize(("length", "unit_length"), [(0.99e-6, 0.0), (1.01e-6, 1.0)])
def test_rows_count_as_constant_below_the_smallest_length(
    length: float, unit_length: float
) -> None:
    row = length / math.sqrt(2) * torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    assert float(unit(row, torch.ones(2)).norm()) == pytest.approx(unit_length)


@pytest.mark.parametrize("name", ["dkd", "dist"])
def test_a_term_without_effect_on_two_classes_is_refused_unless_it_is_off(
    name: str, build: Build
) -> None:
    build(name, [(2,)], [(2,)], beta=0.0)
    with pytest.raises(UserError, match=r"beta 0.1 .*2 classes.*set beta to 0"):
        build(name, [(2,)], [(2,)], beta=0.1)


@pytest.mark.parametrize("name", ["kd", "dkd"])
def test_z_scores_of_two_classes_are_refused(name: str, build: Build) -> None:
    options = {"beta": 0.0} if name == "dkd" else {}
    build(name, [(2,)], [(2,)], **options)
    with pytest.raises(UserError, match="standardise True has no effect on 2 classes"):
        build(name, [(2,)], [(2,)], standardise=True, **options)


def test_teachers_that_are_the_student_are_not_hard_whatever_the_rounding(build: Build) -> None:
    dtd = build("dtd", [(6,)], [(6,)], gamma=0.5).float()
    logits = 1e6 * torch.randn(2000, 6, generator=torch.Generator().manual_seed(0))
    assert (dtd.hardness(logits, logits) >= 0).all()


@pytest.mark.parametrize("noise", [0.0, 1e-9])
def test_dist_charges_a_student_that_is_constant_without_a_gradient(
    noise: float, build: Build
) -> None:
    student, teacher = draw(3)
    student = (noise * student).requires_grad_()
    dist = build("dist", [(6,)], [(6,)])
    loss = dist.losses([student], [teacher], None, torch.ones(5, 1, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(loss, student)
    assert float(loss.detach()) == pytest.approx(2.0)
    assert not gradient.any()
