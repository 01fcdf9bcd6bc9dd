"""Feature fusion: one loss for two players, each with a recipe of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.networks import Chain
from sakd.objectives import Optimisation
from sakd.systems import Partner, Situation, System
from sakd.systems.ffl import FFL
from sakd.systems.parts.ramp import RampSettings
from sakd.training import Run

Make = Callable[..., System[Any]]


def test_the_fusion_has_a_tenth_of_the_weight_decay(small_system: Make) -> None:
    recipe = {"student": Optimisation(lr=0.3, weight_decay=1e-3)}
    run = Run(small_system("ffl"), epochs=1, optimisation=recipe)
    groups = {name: player.optimiser.param_groups[0] for name, player in run.players.items()}
    found = {name: (group["lr"], group["weight_decay"]) for name, group in groups.items()}
    assert found == {"student": (0.3, 1e-3), "fusion": (0.3, pytest.approx(1e-4))}


def test_branches_and_the_fusion_are_measured(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system, images = small_system("ffl").eval(), small_batch(3).images
    assert list(system.further_networks()) == ["branch2", "fused"]
    maps = [branch.features[-2] for branch in system.branches(images)[1]]
    fused = system.further_networks()["fused"](images)
    torch.testing.assert_close(fused, system.fusion(torch.cat(maps, dim=1)))


def test_targets_are_given(small_system: Make, small_batch: Callable[..., Batch]) -> None:
    system, batch = small_system("ffl"), small_batch(3)
    logits = [torch.randn(6, 5, requires_grad=True) for _ in range(3)]
    loss = system.task.loss(logits[1], batch)
    system.ramp.weight.fill_(0.0)
    unmoved = torch.autograd.grad(loss, logits[1])[0]
    system.ramp.weight.fill_(1.0)
    # A branch that agrees with the fusion is moved by the labels alone.
    agreeing = [logits[0], logits[1], logits[1].detach().clone().requires_grad_()]
    total = system.losses(agreeing, batch).losses["student"]
    torch.testing.assert_close(torch.autograd.grad(total, logits[1])[0], unmoved)


def test_maps_are_fused(small_situation: Callable[..., Situation]) -> None:
    layers = {
        "a": nn.Flatten(),
        "b": nn.Linear(192, 8),
        "c": nn.Identity(),
        "head": nn.Linear(8, 5),
    }
    situation = replace(small_situation(Partner.NONE), student=Chain(layers, family="flat"))
    with pytest.raises(UserError, match=r"maps \(C, H, W\), but .* gives \(8,\)"):
        FFL.of(situation, RampSettings())
