"""Student and teacher that are trained together."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from sakd.distillers import DISTILLERS
from sakd.foundation.errors import UserError
from sakd.objectives import JointDistillation

Objectives = Callable[..., JointDistillation]


@pytest.fixture
def joint(small_objective: Callable[..., JointDistillation]) -> Objectives:
    """Train a small teacher along with its student."""

    def start(method: str, policy: str, seed: int = 0) -> JointDistillation:
        return small_objective(method, policy, seed=seed, train_teacher=True)

    return start


def test_the_routers_loss_is_gamma_times_the_cross_entropy_of_the_graft(joint: Objectives) -> None:
    objective = joint("at", "adaptive")
    closed = torch.zeros(6)
    for grafted, alone in [(1.0, 2.0), (2.0, 1.0)]:
        both = torch.tensor(grafted), torch.tensor(alone)
        loss = objective.teaching.routing_loss(objective.router, *both, closed)
        assert float(loss) == 2 * grafted


def test_the_result_is_the_student(joint: Objectives) -> None:
    objective = joint("kd", "always")
    assert objective.network is objective.student


@pytest.mark.parametrize("method", [name for name, kind in DISTILLERS.items() if kind.rebuilding])
def test_a_student_that_takes_a_part_of_its_teacher_needs_a_trained_one(
    method: str, joint: Objectives
) -> None:
    with pytest.raises(UserError, match=rf"joint: '{method}' .* leave one out"):
        joint(method, "always")
