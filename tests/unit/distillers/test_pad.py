"""Prime-aware distillation equals its formula, and stays finite."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.distillers import Distiller, Epoch
from sakd.distillers.pad import inverse_variance
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]
LossOf = Callable[..., Tensor]


class Doubled(nn.Module):
    """Doubts a dimension twice as much as it is large."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    pairs = list(zip(student[0].flatten().tolist(), teacher[0].flatten().tolist(), strict=True))
    return math.fsum((s - t) ** 2 / (1e-6 + math.exp(2 * s)) + 2 * s for s, t in pairs) / len(pairs)


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_a_dimension_counts_less_the_more_it_is_doubted(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    pad = build("pad", [(3,)], [(3,)])
    pad.log_variance = Doubled()
    assert_by_hand(pad, by_hand, mask, seed)


def test_the_doubt_is_of_the_regressed_embedding_and_sees_the_whole_batch(
    build: Build, loss_of: LossOf
) -> None:
    pad = build("pad", [(3,)], [(4,)]).train()
    student, teacher = torch.randn(5, 3).double(), torch.randn(5, 4).double()
    regressed = pad.regressor(student)
    doubt = pad.log_variance[0](regressed)
    doubt = (doubt - doubt.mean(dim=0)) / (doubt.var(dim=0, unbiased=False) + 1e-5).sqrt()
    each = ((regressed - teacher) ** 2 / (1e-6 + doubt.exp()) + doubt).mean(dim=1)
    chosen = torch.tensor([True, False, True, False, False])
    expected = each[chosen].sum() / 5
    torch.testing.assert_close(loss_of(pad, [student], [teacher], chosen), expected.detach())


def test_nothing_is_doubted_in_the_warm_up(build: Build) -> None:
    pad = build("pad", [(3,)], [(3,)], warm_up=0.3)
    student, teacher = torch.randn(5, 3).double(), torch.randn(5, 3).double()
    everybody = torch.ones(5, dtype=torch.bool)
    for number in range(10):
        pad.begin_epoch(Epoch(number, 10, lambda: iter(())))
        loss = pad.loss(0, student, teacher, None, everybody)
        (gradient, _, _) = torch.autograd.grad(loss, list(pad.log_variance.parameters()))
        plain = float((student - teacher).square().mean()) / (1 + 1e-6)
        assert (loss.item() == pytest.approx(plain, rel=1e-12)) == (number < 3)
        assert bool(gradient.any()) == (number >= 3)


@pytest.mark.parametrize("share", [-0.1, 1])
def test_a_warm_up_must_leave_epochs(share: float, build: Build) -> None:
    with pytest.raises(UserError, match=rf"warm_up .*\[0, 1\).* {share}"):
        build("pad", [(3,)], [(3,)], warm_up=share)


def test_any_logarithm_of_a_variance_has_a_finite_inverse_and_gradient() -> None:
    extremes = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4], requires_grad=True)
    values = inverse_variance(extremes)
    (gradient,) = torch.autograd.grad(values.sum(), extremes)
    expected = torch.tensor([1e6, 1e6, 1 / (1 + 1e-6), 0.0, 0.0])
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-6)
    assert gradient.isfinite().all()


def test_a_student_that_regresses_well_without_doubt_has_a_negative_loss(
    build: Build, loss_of: LossOf
) -> None:
    pad = build("pad", [(3,)], [(3,)])
    pad.log_variance = Doubled()
    same = [torch.full((5, 3), -1.0, dtype=torch.float64)]
    everybody = torch.ones(5, dtype=torch.bool)
    assert float(loss_of(pad, same, same, everybody)) == -2
