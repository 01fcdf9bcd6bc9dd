"""Each distiller sees features as it asks for them; routing sees those that the stages give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.distillers import DISTILLERS, Side
from sakd.networks import StagedNetwork
from sakd.objectives import SpotDistillation
from sakd.objectives.outputs import full_precision

Objectives = Callable[..., SpotDistillation]
Batches = Callable[..., Batch]

SIDES = (Side.STUDENT, Side.TEACHER)
ASKING = [name for name, kind in DISTILLERS.items() if kind.unrectified]


@pytest.mark.parametrize("name", ASKING)
def test_a_distiller_that_asks_sees_a_network_before_its_rectifiers(
    name: str, small_objective: Objectives, small_batch: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective, batch = small_objective(name, "adaptive").eval(), small_batch(0)
    shown: list[Any] = []
    for distiller in objective.distillers.values():
        losses = distiller.losses
        monkeypatch.setattr(
            distiller, "losses", lambda *given, to=losses: (shown.append(given[:2]), to(*given))[1]
        )
    objective(batch)
    spots = objective.distillers[name].pair.spots
    (logits, *_), features = shown[0], shown[1]
    assert torch.equal(logits[0], objective.student(batch.images))
    for k, network in enumerate((objective.student, objective.teacher)):
        closed = network.extract(batch.images).features
        asked = SIDES[k] in DISTILLERS[name].unrectified
        for spot, seen in zip(spots, features[k], strict=True):
            assert (seen < 0).any() == asked
            assert torch.equal(seen.relu(), closed[spot[k]])


def test_reviewkd_asks_for_its_teacher_alone_as_its_authors_do() -> None:
    assert DISTILLERS["reviewkd"].unrectified is Side.TEACHER


def test_without_a_distiller_that_asks_nothing_is_computed_twice(
    small_objective: Objectives, small_batch: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nobody asked")

    objective = small_objective("at-rkd", "adaptive").train()
    monkeypatch.setattr(StagedNetwork, "extract_unrectified", refuse)
    objective(small_batch(0))


def test_the_router_sees_the_features_that_the_stages_give(
    small_objective: Objectives, small_batch: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective, batch = small_objective("ofd", "adaptive").train(), small_batch(0)
    seen: list[Any] = []
    graft = objective.router.graft.forward
    monkeypatch.setattr(
        objective.router.graft, "forward", lambda *given: (seen.append(given[3]), graft(*given))[1]
    )
    objective(batch)
    with torch.no_grad():
        expected = objective.teacher.extract(batch.images).outputs
    assert torch.equal(seen[0], expected[objective.spots[0].teacher])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_gradients_of_widened_features_are_laid_out_as_these(
    kind: torch.dtype, layout: torch.memory_format
) -> None:
    maps = torch.randn(2, 3, 4, 5).to(kind).contiguous(memory_format=layout).requires_grad_()
    (wide,) = full_precision([maps])
    assert wide.dtype == torch.float32
    assert torch.equal(wide, maps.float())
    for given in (torch.randn(2, 3, 4, 5), torch.randn(2, 4, 5, 3).permute(0, 3, 1, 2)):
        (gradient,) = torch.autograd.grad(wide, maps, given, retain_graph=True)
        assert torch.equal(gradient, given.to(kind))
        assert layout is torch.contiguous_format or gradient.is_contiguous(memory_format=layout)
