"""An objective asks its teacher for what it reads, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.distillers import DISTILLERS
from sakd.networks import StagedNetwork
from sakd.objectives import DataFacts, Request, SpotDistillation, answer, distil
from sakd.objectives.requests import Picked
from sakd.routing import POLICIES, Route, Scene, Sight
from sakd.routing.always import Always

Objectives = Callable[..., SpotDistillation]
Batches = Callable[..., Batch]

CASES = [(name, policy) for name in DISTILLERS for policy in ("always", "adaptive")]
CASES += [("simkd", policy) for policy in POLICIES]  # a distiller of neither embedding nor logits


@pytest.mark.parametrize(("name", "policy"), CASES)
def test_it_reads_all_that_it_asks_for_and_nothing_else(
    name: str,
    policy: str,
    small_objective: Objectives,
    small_batch: Batches,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objective, batch = small_objective(name, policy).train(), small_batch(0)
    request = objective.request()
    assert request is not None
    given = request.outputs(batch.images)
    read: set[int] = set()
    found = Picked.__getitem__

    def reading(picked: Picked, place: Any) -> Any:
        tensor = found(picked, place)
        read.update([id(tensor)] if isinstance(tensor, torch.Tensor) else [])
        return tensor

    monkeypatch.setattr(Picked, "__getitem__", reading)
    result = objective(batch, given)
    assert read == {id(tensor) for tensor in request.listed(given)}
    own = small_objective(name, policy).train()(batch)
    assert all(torch.equal(result.losses[player], own.losses[player]) for player in own.losses)


@pytest.mark.parametrize(("policy", "embedding"), [("always", False), ("adaptive", True)])
def test_a_distiller_of_logits_asks_for_them_and_for_what_the_policy_sees(
    policy: str, embedding: bool, small_objective: Objectives
) -> None:
    objective = small_objective("kd", policy)
    request, depth = objective.request(), objective.teacher.depth
    assert request is not None
    assert request.closed == ({depth - 1, depth} if embedding else {depth})
    assert not request.unrectified


def test_a_policy_that_sees_features_is_given_all_of_them_without_gradient(
    small_network: Callable[..., StagedNetwork], small_batch: Batches
) -> None:
    seen: list[torch.Tensor] = []

    class Watching(Always):
        sees = Sight.FEATURES

        def forward(self, scene: Scene) -> Route:
            seen.extend([*scene.student.features, *scene.teacher.features])
            return super().forward(scene)

    facts, batch = DataFacts((3, 8, 8), torch.arange(4)), small_batch(0)
    objective = distil(small_network(0), small_network(1), "kd", Watching, facts)
    (given,) = answer([objective.request()], batch.images)
    objective(batch, given)
    assert len(seen) == objective.student.depth + objective.teacher.depth
    assert not any(feature.requires_grad for feature in seen)


def test_an_output_that_nobody_asked_for_cannot_be_read(
    small_objective: Objectives, small_batch: Batches
) -> None:
    teacher = small_objective("kd", "always").teacher
    outputs = Request(teacher, frozenset({1})).outputs(small_batch(0).images)
    assert len(outputs.closed) == teacher.depth + 1
    for read in (lambda: outputs.logits, lambda: outputs.features[-1], lambda: outputs.closed[0]):
        with pytest.raises(LookupError, match="not name output"):
            read()
    with pytest.raises(LookupError, match="not name output 1"):
        _ = outputs.unrectified[1]
    with pytest.raises(IndexError):
        _ = outputs.closed[teacher.depth + 1]


def test_requests_of_one_teacher_are_answered_together(
    small_objective: Objectives, small_batch: Batches
) -> None:
    teacher, images = small_objective("kd", "always").teacher, small_batch(0).images
    one, other = Request(teacher, frozenset({0})), Request(teacher, frozenset(), frozenset({1}))
    first, nothing, second = answer([one, None, other], images)
    assert first is not None
    assert first is second
    assert nothing is None
    closed, unrectified = teacher.extract_unrectified(images)
    assert torch.equal(first.closed[0], closed.features[0])
    assert torch.equal(first.unrectified[1], unrectified.features[1])
