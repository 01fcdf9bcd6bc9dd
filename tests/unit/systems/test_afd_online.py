"""Adversaries of maps: values by hand, whom they move, and mutual learning without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.networks import Chain
from sakd.objectives import Optimisation
from sakd.objectives.adam import AdamOptimisation
from sakd.systems import SYSTEMS, Partner, Situation, System
from sakd.systems.afd_online import channels_of
from sakd.systems.parts.apart import apart
from sakd.systems.parts.peers import STUDENT
from sakd.training import Run

Make = Callable[..., System[Any]]
Batches = Callable[..., Batch]


def test_the_adversarial_losses_by_hand(small_system: Make) -> None:
    own, other = torch.tensor([[0.3], [0.6]]), torch.tensor([[0.8], [0.4]])
    losses = small_system("afd_online").adversarial([(own, own, other)] * 2).losses
    assert float(losses["student_maps"]) == pytest.approx(0.325)
    assert float(losses["peer1_maps"]) == pytest.approx(0.325)
    assert float(losses["discriminators"]) == pytest.approx(2 * 0.425)


def test_the_first_update_is_that_of_mutual_learning(
    small_system: Make, small_batch: Batches
) -> None:
    found = small_system("afd_online")(small_batch(3))
    expected = small_system("dml", temperature=3.0)(small_batch(3))
    for name, loss in expected.losses.items():
        assert torch.equal(found.losses[name], loss)


def test_a_network_is_updated_by_both_of_its_losses_one_after_the_other(
    small_system: Make, small_batch: Batches
) -> None:
    sgd = Optimisation(lr=0.1, momentum=0.9, weight_decay=1e-3)
    run = Run(
        small_system("afd_online", adversarial_lr=0.01), epochs=1, optimisation={STUDENT: sgd}
    )
    run.update(run.objective(small_batch(3)).losses)

    system = small_system("afd_online")
    network, transfer, batch = system.network, system.transfers[1], small_batch(3)
    first = list(network.parameters())
    ours, theirs = (each.extract(batch.images) for each in system.mutual.everyone.values())
    logits = system.mutual.losses([ours.logits, theirs.logits], batch).losses[STUDENT]
    fooled = (1 - system.discriminators[0](ours.features[-2])).square().mean()
    by_logits = torch.autograd.grad(logits, first, retain_graph=True)
    makers = [p for name, p in network.named_parameters() if not name.startswith("head")]
    by_map = torch.autograd.grad(fooled, makers)
    for parameters, gradients, optimiser in (
        (first, by_logits, torch.optim.SGD(first, lr=0.1, momentum=0.9, weight_decay=1e-3)),
        (makers, by_map, torch.optim.Adam(makers, lr=0.01, weight_decay=0.1)),
    ):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimiser.step()
    moved = run.objective.network.state_dict()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(moved[name], parameter.detach(), msg=name)
    assert not torch.equal(run.objective.transfers[1].weight, transfer.weight)


def test_adversaries_are_slower_and_have_a_recipe_of_their_own(small_system: Make) -> None:
    players = small_system("afd_online").players()
    assert list(players) == ["student", "peer1", "student_maps", "peer1_maps", "discriminators"]
    given = {STUDENT: Optimisation(lr=0.3)}
    recipes = {name: each.with_recipe(name, given).optimisation for name, each in players.items()}
    assert recipes["student"] == recipes["peer1"] == given[STUDENT]
    for name in ("student_maps", "peer1_maps", "discriminators"):
        assert recipes[name] == AdamOptimisation(lr=2e-5, weight_decay=0.1)


def test_every_loss_is_of_its_player_alone(small_system: Make, small_batch: Batches) -> None:
    system = small_system("afd_online")
    losses, players = system(small_batch(3)).losses, system.players()
    held = {name: {id(p) for p in player.parameters} for name, player in players.items()}
    parameters = [p for p in system.parameters() if p.requires_grad]
    for name, loss in losses.items():
        found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        reached = {id(p) for p, g in zip(parameters, found, strict=True) if g is not None}
        assert reached == held[name], name


def test_discriminators_judge_in_full_precision(small_system: Make, small_batch: Batches) -> None:
    system, seen = small_system("afd_online"), []
    for judge in system.discriminators:
        judge.register_forward_hook(lambda _, given, answer: seen.append((*given, answer)))
    with torch.autocast("cpu", torch.bfloat16):
        system(small_batch(3))
    assert len(seen) == 6
    assert all(each.dtype == torch.float32 for pair in seen for each in pair)


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


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("temperature", "temperature must be above 0, got -1"),
        ("adversarial_lr", "adversarial_lr must be above 0, got -1"),
        ("adversarial_decay", "adversarial_decay must not be negative: -1"),
    ],
)
def test_a_setting_out_of_range_is_refused(setting: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        SYSTEMS["afd_online"].settings(**{setting: -1})


def test_a_loss_apart_has_the_same_gradient_and_leaves_the_graph_to_others() -> None:
    weight, other = (torch.nn.Parameter(torch.tensor(x)) for x in (3.0, 5.0))
    shared = weight.square()
    loss = apart(shared.square(), [weight, other])
    assert loss.detach() == 81.0
    assert torch.autograd.grad(loss, weight)[0] == 108.0
    assert torch.autograd.grad(shared, weight)[0] == 6.0
