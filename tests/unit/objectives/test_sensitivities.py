"""Distillers that ask see gradients within both networks, and the student learns from its own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sakd.data import Batch
from sakd.distillers import DISTILLERS, Sensitivity, Side
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.chain import Chain
from sakd.objectives import DataFacts, SpotDistillation, distil
from sakd.objectives.parameters import Distillation
from sakd.objectives.sensitivities import Sensing
from sakd.training import EXACT, Precision, Run

Objectives = Callable[..., SpotDistillation]
Networks = Callable[..., StagedNetwork]
Batches = Callable[..., Batch]

ASKING = {name: kind.sensitivity for name, kind in DISTILLERS.items() if kind.sensitivity}
FACTS = DataFacts((3, 8, 8), torch.arange(20) % 5)


@pytest.fixture
def asking(small_network: Networks) -> Callable[..., SpotDistillation]:
    """Build the objective of an asking method alone, in double precision."""

    def build(method: str, policy: str = "always", **how: Any) -> Any:
        alone = Distillation(ce_weight=0, kd_weight=0, **how)
        networks = small_network(0), small_network(1)
        return distil(*networks, method, policy, FACTS, distillation=alone).double().train()

    return build


@pytest.fixture
def batch(small_batch: Batches) -> Batch:
    """A batch in double precision."""
    drawn = small_batch(1)
    return drawn._replace(images=drawn.images.double())


def by_hand(network: StagedNetwork, batch: Batch, kind: Sensitivity) -> Tensor:
    """Take the gradients of one sample after the other."""
    found = []
    for image, label in zip(batch.images[:, None], batch.labels, strict=True):
        leaf = image.clone().requires_grad_()
        if kind is Sensitivity.IMAGES:
            value = network(leaf)[0, label]
        else:
            leaf = network.extract(image).features[-1].detach().requires_grad_()
            value = cross_entropy(network.run(leaf, network.depth), label[None])
        found.append(torch.autograd.grad(value, leaf)[0])
    return torch.cat(found)


@pytest.mark.parametrize("method", ASKING)
def test_both_networks_show_the_gradients_of_each_sample(
    method: str, asking: Objectives, batch: Batch
) -> None:
    objective = asking(method).eval()
    taught, student = objective.teach(batch), objective.outputs(objective.student, batch, Side(1))
    for network, outputs in ((objective.student, student), (objective.teacher, taught)):
        (shown,) = outputs.shown_to(objective.distillers[method])
        torch.testing.assert_close(shown, by_hand(network, batch, ASKING[method]))
        assert shown.requires_grad is (network is objective.student)
    assert not any(x.requires_grad for x in taught.closed)


@pytest.mark.parametrize("objective", ["distillation", "joint"])
@pytest.mark.parametrize("method", ASKING)
def test_the_weights_learn_from_what_they_do_to_the_gradients(
    method: str, objective: str, asking: Objectives, batch: Batch
) -> None:
    """The derivative of the loss along a direction is its change; of both networks, if both learn.

    In training mode the student's batch norms relate the samples.
    """
    built = asking(method, objective=objective)
    weights = built.players()["student"].parameters
    assert len(weights) == len(list(built.student.parameters())) * (1 + (objective == "joint"))
    gradients = torch.autograd.grad(built(batch).losses["student"], weights, allow_unused=True)
    steps = [torch.randn_like(weight) for weight in weights]
    along = sum((g * s).sum() for g, s in zip(gradients, steps, strict=True) if g is not None)

    def moved(distance: float) -> Tensor:
        other = copy.deepcopy(built)
        with torch.no_grad():
            for weight, step in zip(other.players()["student"].parameters, steps, strict=True):
                weight.add_(distance * step)
        return other(batch).losses["student"].detach()

    distance = 1e-7
    slope = (moved(distance) - moved(-distance)) / (2 * distance)
    assert abs(slope) > 1e-4
    torch.testing.assert_close(along, slope, rtol=1e-4, atol=1e-6)


def test_nothing_is_asked_of_others(
    small_objective: Objectives, small_batch: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nobody asked")

    for method in ("outputs", "of_frozen"):
        monkeypatch.setattr(Sensing, method, refuse)
    small_objective("at-crcd", "adaptive").train()(small_batch(0))


@pytest.mark.parametrize("method", ASKING)
def test_the_frozen_teacher_is_asked_for_no_output_that_nobody_reads(
    method: str, asking: Objectives
) -> None:
    objective = asking(method)
    request = objective.request()
    assert request is not None
    whole = ASKING[method] is Sensitivity.IMAGES
    assert request.closed == (set() if whole else {objective.teacher.depth - 1})


@pytest.mark.parametrize("method", ASKING)
def test_half_precision_shows_about_the_same_in_full_precision(
    method: str, small_objective: Objectives, small_batch: Batches
) -> None:
    objective, batch = small_objective(method, "always").eval(), small_batch(0)
    shown = []
    for precision in (EXACT, Precision(torch.bfloat16)):
        with precision.applied(batch.images.device):
            outputs = objective.outputs(objective.student, batch, Side.STUDENT)
        shown += outputs.shown_to(objective.distillers[method])
    assert shown[1].dtype is torch.float32
    assert not torch.equal(*shown)
    assert (shown[0] - shown[1]).norm() < 0.1 * shown[0].norm()


def test_compiled_stages_are_not_differentiated_twice(
    small_objective: Objectives, small_batch: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled(run: Callable[..., Tensor], **_: object) -> Callable[..., Tensor]:
        def once(*given: Any) -> Tensor:
            if torch.is_grad_enabled():
                raise RuntimeError("can be differentiated only once")
            return run(*given)

        return once

    monkeypatch.setattr(torch, "compile", compiled)
    batch, losses = small_batch(0), []
    for precision in (EXACT, Precision(compiled=True)):
        run = Run(small_objective("jacobian", "always").train(), epochs=1, precision=precision)
        run.precision.lay_out(run.objective)
        run.learn(batch)
        losses.append(run.objective(batch).losses["student"])
    assert torch.equal(*losses)
    for network in (run.objective.student, run.objective.teacher):
        with pytest.raises(RuntimeError, match="only once"):
            network(batch.images)


class Stage(nn.Module):
    """A linear embedding of images, followed by ``then``."""

    def __init__(self, then: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.layer, self.then = nn.Linear(192, 8), then

    def forward(self, images: Tensor) -> Tensor:
        return self.then(self.layer(images.flatten(1)))


def network(then: Callable[[Tensor], Tensor]) -> StagedNetwork:
    return Chain({"embedding": Stage(then), "head": nn.Linear(8, 5)}, family="plain")


def test_networks_without_such_gradients_are_refused_before_training(
    once: Callable[[Tensor], Tensor],
) -> None:
    for student, teacher, who in (
        (once, torch.tanh, "student .*once_differentiable"),
        (torch.tanh, torch.Tensor.detach, "teacher .*"),
    ):
        with pytest.raises(UserError, match=rf"by the images, which the {who}; take another"):
            distil(network(student), network(teacher), "jacobian", "always", FACTS)
    assert distil(network(torch.tanh), network(once), "jacobian", "always", FACTS)
    assert distil(network(once), network(once), "crcd_gradient", "always", FACTS)
