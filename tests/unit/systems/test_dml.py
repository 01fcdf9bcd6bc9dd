"""Deep mutual learning: values by hand, symmetry, and what peers do not reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import Optimisation, Supervised
from sakd.systems import Partner, Situation
from sakd.systems.dml import DML, MutualSettings
from sakd.systems.parts.divergence import divergence
from sakd.tasks import CLASSIFICATION
from sakd.training import Run

STUDENT, PEER, THIRD = (
    torch.tensor(logits)
    for logits in (
        [[1.0, 0.0, -1.0], [0.0, 2.0, 1.0]],
        [[2.0, 1.0, 0.0], [1.0, 1.0, 3.0]],
        [[0.0, 1.0, 0.0], [2.0, 0.0, 1.0]],
    )
)
BATCH = Batch(torch.zeros(2, 3, 4, 4), torch.tensor([0, 2]), torch.arange(2), 0)

Networks = Callable[..., StagedNetwork]


def of(networks: Sequence[StagedNetwork], **how: Any) -> DML:
    return DML(networks[0], networks[1:], CLASSIFICATION, MutualSettings(**how)).train()


@pytest.mark.parametrize(
    ("logits", "temperature", "loss"),
    [
        ([STUDENT, PEER], 1.0, 1.278623),
        ([STUDENT, PEER, THIRD], 1.0, 1.488789),
        ([STUDENT, PEER], 3.0, 1.317512),
    ],
)
def test_the_loss_by_hand(
    logits: list[Tensor], temperature: float, loss: float, small_network: Networks
) -> None:
    system = of([small_network(k) for k in range(len(logits))], temperature=temperature)
    result = system.losses(logits, BATCH)
    assert float(result.losses["student"]) == pytest.approx(loss, abs=2e-6)
    assert float(result.terms["cross_entropy"]) == pytest.approx(0.907606, abs=2e-6)


@pytest.mark.parametrize(("temperature", "error"), [(1, 0.371017), (3, 0.409906), (4, 0.407142)])
def test_the_divergence_by_hand(temperature: float, error: float) -> None:
    assert float(divergence(STUDENT, PEER, temperature)) == pytest.approx(error, abs=2e-6)


def test_two_networks_are_treated_alike(
    small_network: Networks, small_batch: Callable[..., Batch]
) -> None:
    one, other = small_network(0), small_network(1)
    ours, swapped = (of(pair)(small_batch(3)).losses for pair in ([one, other], [other, one]))
    assert torch.equal(ours["student"], swapped["peer1"])
    assert torch.equal(ours["peer1"], swapped["student"])


def test_equal_networks_are_not_apart(
    small_network: Networks, small_batch: Callable[..., Batch]
) -> None:
    result = of([small_network(0), small_network(0), small_network(0)])(small_batch(3))
    assert [float(result.terms[f"mutual{end}"]) for end in ("", "_peer1", "_peer2")] == [0.0] * 3


def test_without_weight_it_is_the_student_alone(
    small_network: Networks, small_batch: Callable[..., Batch]
) -> None:
    system, alone = of([small_network(0), small_network(1)], weight=0.0), small_network(0)
    loss = Supervised(alone)(small_batch(3)).losses["student"]
    assert torch.equal(system(small_batch(3)).losses["student"], loss)


def test_peers_are_fresh_and_learn_as_the_student_does(
    small_situation: Callable[..., Situation],
) -> None:
    system = DML.of(small_situation(Partner.PEERS), MutualSettings(peers=3))
    assert list(system.further_networks()) == ["peer1", "peer2", "peer3", "ensemble"]
    stems = [network.state_dict()["stem.0.weight"] for network in system.everyone.values()]
    assert not any(torch.equal(*pair) for pair in combinations(stems, 2))
    run = Run(system, epochs=1, optimisation={"student": Optimisation(lr=0.3)})
    assert {player.rates for player in run.players.values()} == {(0.3,)}


def test_the_ensemble_is_the_mean_of_probabilities(
    small_network: Networks, small_batch: Callable[..., Batch]
) -> None:
    system, images = of([small_network(k) for k in range(2)]), small_batch(3).images
    chances = [network.eval()(images).softmax(dim=1) for network in system.everyone.values()]
    found = system.further_networks()["ensemble"].eval()(images)
    torch.testing.assert_close(found, (chances[0] + chances[1]) / 2)


def test_there_is_a_peer() -> None:
    with pytest.raises(UserError, match="peers must be 1 or more, got 0"):
        MutualSettings(peers=0)


def test_peers_have_the_classes_of_the_student(
    small_situation: Callable[..., Situation], small_network: Networks
) -> None:
    situation = small_situation(Partner.PEERS)
    peer = small_network(1)
    peer.add_module("head", torch.nn.Linear(8, 7))
    with pytest.raises(UserError, match="the student has 5 classes and a network beside it 7"):
        DML.of(replace(situation, partners=(peer,)), MutualSettings())
