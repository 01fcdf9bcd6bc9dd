"""Training by the labels alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from sakd.data import Batch
from sakd.networks import StagedNetwork
from sakd.objectives import Supervised


def test_the_loss_is_the_cross_entropy_by_hand(
    small_network: Callable[..., StagedNetwork], small_batch: Callable[..., Batch]
) -> None:
    objective, batch = Supervised(small_network(0)).train(), small_batch(0)
    result = objective(batch)
    logits = small_network(0).train()(batch.images).tolist()
    losses = [
        math.log(sum(math.exp(z) for z in row)) - row[label]
        for row, label in zip(logits, batch.labels.tolist(), strict=True)
    ]
    expected = pytest.approx(sum(losses) / len(losses), rel=1e-5)
    assert float(result.losses["student"].detach()) == expected
    assert float(result.terms["cross_entropy"]) == expected
    assert set(result.losses) == set(objective.players()) == {"student"}


def test_the_player_is_the_whole_network(small_network: Callable[..., StagedNetwork]) -> None:
    network = small_network(0)
    objective = Supervised(network)
    assert objective.network is network
    held = objective.players()["student"].parameters
    assert all(a is b for a, b in zip(held, network.parameters(), strict=True))
    assert set(objective.progress()) == {f"student.{name}" for name in network.state_dict()}
    assert torch.equal(objective.progress()["student.head.bias"], network.head.bias)
