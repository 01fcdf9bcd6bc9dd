"""The on-the-fly ensemble: who trains the gate, and what one branch comes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.systems import System
from sakd.systems.one import ONE, EnsembleSettings
from sakd.systems.parts.gate import Gate
from sakd.tasks import CLASSIFICATION

Make = Callable[..., System[Any]]
Batches = Callable[..., Batch]


def test_one_branch_is_its_own_ensemble(
    small_network: Callable[..., StagedNetwork], small_batch: Batches
) -> None:
    system = ONE(small_network(0), [], Gate(6, 1), CLASSIFICATION).train()
    terms = system(small_batch(3)).terms
    assert float(terms["divergence"]) == 0
    assert torch.equal(terms["ensemble"], terms["cross_entropy"])


def test_the_gate_learns_from_the_labels_alone(small_system: Make, small_batch: Batches) -> None:
    system = small_system("one", branches=2)
    gradients = []
    for weight in (0.0, 1.0):
        system.ramp.weight.fill_(weight)
        loss = system(small_batch(3)).losses["student"]
        gradients.append(torch.autograd.grad(loss, list(system.gate.parameters())))
    for without, within in zip(*gradients, strict=True):
        torch.testing.assert_close(without, within)


def test_branches_and_the_ensemble_are_measured(small_system: Make, small_batch: Batches) -> None:
    system, images = small_system("one").eval(), small_batch(3).images
    seen = {name: network(images) for name, network in system.further_networks().items()}
    assert list(seen) == ["branch2", "branch3", "ensemble"]
    shares = system.gate(system.student.run(images, 0, system.cut).mean(dim=(2, 3)))
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(len(images)))
    logits = [system.network(images), seen["branch2"], seen["branch3"]]
    mixed = sum(share[:, None] * z for share, z in zip(shares.unbind(dim=1), logits, strict=True))
    torch.testing.assert_close(seen["ensemble"], mixed)


def test_there_are_two_branches() -> None:
    with pytest.raises(UserError, match="branches must be 2 or more, got 1"):
        EnsembleSettings(branches=1)
