"""The draws of a step depend on the batch and the purpose, never on other draws."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from sakd.data import Batch
from sakd.distillers.crd import ContrastiveRepresentation
from sakd.objectives import SpotDistillation
from sakd.routing import POLICIES

Objectives = Callable[..., SpotDistillation]
Batches = Callable[..., Batch]


def test_purposes_are_drawn_apart_and_each_alike(small_batch: Batches) -> None:
    batch = small_batch(1)
    drawn = [torch.rand(4, generator=batch.draws(name)) for name in ("policy", "policy", "else")]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_every_policy_meets_the_same_negatives(
    monkeypatch: pytest.MonkeyPatch, small_objective: Objectives, small_batch: Batches
) -> None:
    seen = []
    draw = ContrastiveRepresentation.contrast

    def watched(self: ContrastiveRepresentation, batch: Batch) -> torch.Tensor:
        seen.append(draw(self, batch))
        return seen[-1]

    monkeypatch.setattr(ContrastiveRepresentation, "contrast", watched)
    choosing = [name for name, kind in POLICIES.items() if not kind.weighs]
    for policy in choosing:
        small_objective("crd", policy).train()(small_batch(5))
    assert len(seen) == len(choosing)
    assert all(torch.equal(seen[0], contrast) for contrast in seen)


def test_the_matched_control_starts_from_the_choice_of_the_adaptive_policy(
    small_objective: Objectives, small_batch: Batches
) -> None:
    terms = [
        small_objective("at", p).train()(small_batch(5)).terms
        for p in ("adaptive", "random_matched")
    ]
    rates = [{k: v for k, v in one.items() if k.startswith("gate_rate/")} for one in terms]
    assert rates[0] == rates[1]


def test_a_step_is_the_same_after_another_objective_took_the_batch(
    small_objective: Objectives, small_batch: Batches
) -> None:
    batch = small_batch(5)
    alone = small_objective("crd", "adaptive").train()(batch).losses["student"]
    small_objective("sp", "random").train()(batch)
    again = small_objective("crd", "adaptive").train()(batch).losses["student"]
    assert torch.equal(alone, again)
