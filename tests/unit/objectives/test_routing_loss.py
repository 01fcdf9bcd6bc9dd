"""The routing loss: gamma's two tests in a row, and the half-batch penalty."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sakd.objectives import Router
from sakd.routing.always import Always

OPEN = torch.ones(8)


def routing_loss(
    grafted: torch.Tensor, student: torch.Tensor, gate: torch.Tensor, gamma: float
) -> torch.Tensor:
    return Router(Always(1, 1, 1), gamma=gamma).loss(grafted, student, gate)


@pytest.mark.parametrize(
    ("grafted", "student", "gamma", "expected"),
    [
        (3.0, 2.0, 2.0, 6.0),  # worse than the student: multiplied
        (1.0, 2.0, 2.0, 0.5),  # better: divided
        (2.0, 2.0, 2.0, 2.0),  # as good: left alone
        (3.0, 2.0, 1.0, 3.0),  # gamma 1 does nothing
        (1.0, 2.0, 1.0, 1.0),
        (3.0, 2.0, 0.5, 3.0),  # 1.5 falls below the student and is divided back: cancelled
        (5.0, 2.0, 0.5, 2.5),  # 2.5 stays above the student
        (1.0, 2.0, 0.5, 2.0),  # better: divided, which raises it
    ],
)
def test_gamma_multiplies_a_worse_loss_and_then_divides_a_better_one(
    grafted: float, student: float, gamma: float, expected: float
) -> None:
    ce = torch.tensor(grafted, requires_grad=True)
    loss = routing_loss(ce, torch.tensor(student), OPEN, gamma)
    assert float(loss.detach()) == pytest.approx(expected)
    (gradient,) = torch.autograd.grad(loss, ce)
    assert float(gradient) == pytest.approx(expected / grafted)


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_fewer_than_half_of_the_batch_is_penalised_by_the_number_missing(gate: list[bool]) -> None:
    decisions = torch.tensor(gate, dtype=torch.float32, requires_grad=True)
    loss = routing_loss(torch.tensor(1.0), torch.tensor(1.0), decisions, 2.0)
    missing = max(0.0, len(gate) / 2 - sum(gate))
    assert float(loss.detach()) == 1.0 + missing
    if missing:
        (gradient,) = torch.autograd.grad(loss, decisions)
        assert torch.equal(gradient, -torch.ones(len(gate)))


def test_the_penalty_is_added_after_gamma() -> None:
    loss = routing_loss(torch.tensor(3.0), torch.tensor(1.0), torch.zeros(8), 10.0)
    assert float(loss) == 30.0 + 4.0


def test_without_a_gamma_the_loss_is_the_grafts() -> None:
    grafted, student = torch.tensor(3.0), torch.tensor(1.0)
    assert float(Router(Always(1, 1, 1)).loss(grafted, student, OPEN)) == 3.0
