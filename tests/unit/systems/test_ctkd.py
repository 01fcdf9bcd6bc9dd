"""Collaborative teaching: values by hand, and who learns from whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.distillers import Side
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Supervised
from sakd.systems import Partner, Situation, System
from sakd.systems.ctkd import CTKD, CollaborativeSettings

Make = Callable[..., System[Any]]

OURS = torch.tensor([[[1.0, 0.0], [1.0, 2.0]], [[0.0, 1.0], [2.0, 1.0]]])[..., None]
EXPERT = torch.tensor([[[2.0, 1.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 2.0]]])[..., None]
STUDENT = torch.tensor([[1.0, 0.0, -1.0], [0.0, 2.0, 1.0]])
TEACHER = torch.tensor([[2.0, 1.0, 0.0], [1.0, 1.0, 3.0]])


def test_the_losses_by_hand(small_system: Make) -> None:
    system = small_system("ctkd", attention=1.0)
    spots = system.attention.pair.spots
    system.attention.pair = replace(system.attention.pair, spots=spots[:1])
    batch = Batch(torch.zeros(2, 3, 4, 4), torch.tensor([0, 2]), torch.arange(2), 0)

    def outputs(maps: torch.Tensor, logits: torch.Tensor, side: Side) -> Outputs:
        closed = [maps] * 5 + [logits]
        return Outputs(closed, closed, side)

    ours, theirs = outputs(OURS, STUDENT, Side.STUDENT), outputs(EXPERT, TEACHER, Side.TEACHER)
    result = system.losses(ours, TEACHER, theirs, batch)
    assert float(result.terms["attention"]) == pytest.approx(0.226295, abs=2e-6)
    assert float(result.losses["student"]) == pytest.approx(1.541043, abs=2e-6)
    assert float(result.losses["peer1"]) == pytest.approx(0.323575, abs=2e-6)


def test_without_teachers_it_is_the_student_alone(
    small_system: Make,
    small_network: Callable[..., StagedNetwork],
    small_batch: Callable[..., Batch],
) -> None:
    system, alone = small_system("ctkd", weight=0.0, attention=0.0), Supervised(small_network(0))
    expected = alone(small_batch(3)).losses["student"]
    assert torch.equal(system(small_batch(3)).losses["student"], expected)


def test_the_fresh_teacher_learns_from_the_labels_alone(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system, batch = small_system("ctkd"), small_batch(3)
    losses, players = system(batch).losses, system.players()
    for name, loss in losses.items():
        for other, player in players.items():
            gradients = torch.autograd.grad(
                loss, player.parameters, retain_graph=True, allow_unused=True
            )
            assert all((g is None) == (name != other) for g in gradients)
    assert torch.equal(losses["peer1"], system.task.loss(system.scratch(batch.images), batch))


def test_the_expert_is_asked_for_its_maps_alone(small_system: Make) -> None:
    system = small_system("ctkd")
    assert sorted(system.request().closed) == [1, 2, 3]
    assert list(system.further_networks()) == ["peer1"]


def test_the_expert_has_the_classes_of_the_student(
    small_situation: Callable[..., Situation], small_network: Callable[..., StagedNetwork]
) -> None:
    expert = small_network(1)
    expert.add_module("head", torch.nn.Linear(8, 7))
    situation = replace(small_situation(Partner.TEACHER), partners=(expert,))
    with pytest.raises(UserError, match="the student has 5 classes and a network beside it 7"):
        CTKD.of(situation, CollaborativeSettings())
