"""Adversaries of maps: values by hand, whom they move, and mutual learning without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.networks import Chain
from sakd.objectives import StepResult
from sakd.systems import SYSTEMS, Partner, Situation, System
from sakd.systems.afd_online import channels_of

Make = Callable[..., System[Any]]
Batches = Callable[..., Batch]


def test_the_adversarial_losses_by_hand(small_system: Make) -> None:
    system = small_system("afd_online", adversarial=1.0)
    own, other = torch.tensor([[0.3], [0.6]]), torch.tensor([[0.8], [0.4]])
    nothing = StepResult({"student": torch.tensor(0.0), "peer1": torch.tensor(0.0)}, {})
    result = system.losses(nothing, [(own, own, other), (own, own, other)])
    assert float(result.losses["student"]) == pytest.approx(0.325)
    assert float(result.losses["discriminators"]) == pytest.approx(2 * 0.425)


def test_without_adversaries_it_is_mutual_learning(
    small_system: Make, small_batch: Batches
) -> None:
    found = small_system("afd_online", adversarial=0.0)(small_batch(3))
    expected = small_system("dml", temperature=3.0)(small_batch(3))
    for name, loss in expected.losses.items():
        assert torch.equal(found.losses[name], loss)


def test_every_loss_is_of_its_player_alone(small_system: Make, small_batch: Batches) -> None:
    system = small_system("afd_online")
    losses, players = system(small_batch(3)).losses, system.players()
    discriminators = torch.autograd.grad(
        losses["discriminators"],
        [*players["student"].parameters, *players["peer1"].parameters],
        retain_graph=True,
        allow_unused=True,
    )
    assert all(gradient is None for gradient in discriminators)
    for name, other in (("student", "peer1"), ("peer1", "student")):
        gradients = torch.autograd.grad(
            losses[name], players[other].parameters, retain_graph=True, allow_unused=True
        )
        assert all(gradient is None for gradient in gradients)


def test_the_peer_brings_its_map_to_the_channels_of_the_student(small_system: Make) -> None:
    ours, theirs = small_system("afd_online").transfers
    assert not list(ours.parameters())
    assert theirs.weight.shape == (8, 10, 1, 1)


def test_last_maps_are_compared(small_situation: Callable[..., Situation]) -> None:
    network = small_situation(Partner.NONE).student
    assert channels_of(network, (3, 8, 8)) == 8
    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 8))
    layers = {"a": flat, "b": torch.nn.Identity(), "head": torch.nn.Linear(8, 5)}

    with pytest.raises(UserError, match=r"last maps \(C, H, W\), but .* gives \(8,\)"):
        channels_of(Chain(layers, family="flat"), (3, 8, 8))


def test_weights_are_not_negative() -> None:
    with pytest.raises(UserError, match="adversarial must not be negative: -1"):
        SYSTEMS["afd_online"].settings(adversarial=-1)
