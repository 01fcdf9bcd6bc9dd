"""Branches with teachers of their own: terms by hand, and what teaches which branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import Batch
from sakd.foundation.errors import UserError

Make = Callable[..., Any]


def logits(*rows: list[float]) -> Tensor:
    """Logits in double precision."""
    return torch.tensor(rows, dtype=torch.float64)


def test_the_terms_by_hand(small_system: Make) -> None:
    batch = Batch(torch.zeros(2, 3, 8, 8), torch.tensor([0, 1]), torch.arange(2), 0)
    branches = [logits([1, 0, -1], [0, 2, 0]), logits([0, 1, 0], [0, 3, 1])]
    teacher = logits([2, 0, -2], [1, 1, 0])
    terms = small_system("ekd", temperature=2.0).terms(batch, branches, [teacher, teacher])
    assert {name: float(term) for name, term in terms.items()} == pytest.approx(
        {
            "cross_entropy": 0.323575,
            "branches": 0.860645,
            "ensemble": 0.529364,
            "kd": 0.307387 + 1.075583,
        },
        abs=1e-5,
    )


def test_each_teacher_teaches_its_own_branch(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system, batch = small_system("ekd"), small_batch(3)
    first, second = (system.further_networks()[name] for name in ("branch2", "ensemble"))
    plain = system.student(batch.images) + first(batch.images)
    torch.testing.assert_close(second(batch.images), plain / 2)
    _, (own, other) = system.branches(batch.images)
    taught = [teacher(batch.images).detach() for teacher in system.teachers]
    kd = system.terms(batch, [own.logits, other.logits.detach()], taught)["kd"]
    heads = [net.stage_modules()["head"].weight for net in (system.student, *system.tails)]
    mine, theirs = torch.autograd.grad(kd, heads, allow_unused=True)
    assert mine is not None
    assert theirs is None


def test_there_is_a_branch_for_every_teacher_and_the_student_is_the_first(
    small_system: Make,
) -> None:
    system = small_system("ekd")
    assert list(system.further_networks()) == ["branch2", "ensemble"]
    assert len(system.regressors) == len(system.teachers) == 2


def test_a_negative_weight_is_refused(small_system: Make) -> None:
    with pytest.raises(UserError, match="feature_weight must not be negative: -1"):
        small_system("ekd", feature_weight=-1.0)
