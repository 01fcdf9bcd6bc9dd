"""The routing loss: gamma's two tests in a row, the half-batch penalty, and costs alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sakd.data import Batch
from sakd.objectives import Router, SpotDistillation
from sakd.routing import Route, RoutingPolicy, Scene, Sight
from sakd.routing.always import Always

OPEN = torch.ones(8)


class Priced(RoutingPolicy):
    """Distil everything at a price, without a gate."""

    trained = True
    sees = Sight.NOTHING

    def __init__(self, student_width: int, teacher_width: int, decisions: int) -> None:
        super().__init__(student_width, teacher_width, decisions)
        self.root = nn.Parameter(torch.tensor(2.0))

    def forward(self, scene: Scene) -> Route:
        """Ask for the price."""
        everybody = torch.ones(len(scene), dtype=torch.bool)
        return Route(self.everywhere(everybody), cost=self.root.square())


class Ungrafted(Priced):
    """The same with a gate that no graft takes."""

    grafted = False

    def forward(self, scene: Scene) -> Route:
        """Give a gate, too."""
        route = super().forward(scene)
        return route._replace(gate=route.share * self.root)


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


@pytest.mark.parametrize("policy", [Priced, Ungrafted])
def test_without_a_gate_or_a_graft_the_loss_is_the_policys_cost(
    policy: type[RoutingPolicy],
    small_objective: Callable[..., SpotDistillation],
    small_batch: Callable[..., Batch],
) -> None:
    objective = small_objective("at", policy).train()
    loss = objective(small_batch(1)).losses["router"]
    assert float(loss.detach()) == 4.0
    (gradient,) = torch.autograd.grad(loss, objective.router.policy.root)
    assert float(gradient) == 4.0
