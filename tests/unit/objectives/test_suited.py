"""A distiller that only one objective can train brings it along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sakd.distillers import DISTILLERS
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.objectives import Distillation, JointDistillation, SpotDistillation
from sakd.study.parsing import parse_parameters

Objectives = Callable[..., SpotDistillation]


@pytest.fixture(autouse=True)
def _at_needs_joint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DISTILLERS["at"], "objective", "joint")


def test_a_cell_is_trained_by_the_objective_that_its_method_needs(
    small_objective: Objectives,
) -> None:
    assert isinstance(small_objective("at-sp", "always"), JointDistillation)
    assert type(small_objective("sp", "always")) is SpotDistillation


def test_the_other_objectives_of_a_grid_stay(make_training: Callable[..., Any]) -> None:
    named = {name: make_training(name).facts["objective"] for name in ("at", "kd", "at-sp")}
    assert named == {"at": "joint", "kd": "distillation", "at-sp": "joint"}
    assert make_training("at").teacher is None


def test_the_objective_may_be_named_too() -> None:
    named = Distillation(objective="joint")
    assert named.suited(Method.of("at")) == Distillation().suited(Method.of("at")) == named


def test_another_objective_is_refused_at_the_door() -> None:
    given = {"distillation": {"objective": "supervised"}, "grid": {"distillers": ["at"]}}
    with pytest.raises(UserError, match=r"'supervised': 'at' .* by 'joint': leave one"):
        parse_parameters(given).check()


def test_two_that_need_different_objectives_do_not_share_a_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DISTILLERS["sp"], "objective", "supervised")
    with pytest.raises(UserError, match=r"'at-sp': at and sp each need an objective .* keep one"):
        Method.of("at-sp")
