"""A router that learns from images set aside: they train it, and nothing else does."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.foundation.randomness import generator
from sakd.objectives import SpotDistillation

Objectives = Callable[..., SpotDistillation]
Batches = Callable[..., Batch]

BOTH = pytest.mark.parametrize("joint", [False, True])


@pytest.fixture
def start(small_objective: Objectives) -> Objectives:
    """Start an objective whose router learns from images set aside, in training mode."""

    def build(*, joint: bool = False) -> SpotDistillation:
        return small_objective("at", "heldout", train_teacher=joint).train()

    return build


def gradients(objective: SpotDistillation, batch: Batch) -> dict[str, list[Tensor]]:
    """Compute the gradient of each player's loss; None counts as 0."""
    losses = objective(batch).losses
    return {
        name: [
            torch.zeros_like(parameter) if gradient is None else gradient
            for parameter, gradient in zip(
                player.parameters,
                torch.autograd.grad(losses[name], player.parameters, allow_unused=True),
                strict=True,
            )
        ]
        for name, player in objective.players().items()
    }


def equal(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@BOTH
def test_other_images_set_aside_change_the_router_alone(
    joint: bool, start: Objectives, small_batch: Batches
) -> None:
    batch, other = small_batch(1), small_batch(2)
    objectives = start(joint=joint), start(joint=joint)
    ours = gradients(objectives[0], batch)
    theirs = gradients(objectives[1], batch._replace(aside=other.aside))
    assert equal(ours["student"], theirs["student"])
    assert not equal(ours["router"], theirs["router"])
    states = [objective.state_dict() for objective in objectives]
    differing = [name for name, value in states[0].items() if not value.equal(states[1][name])]
    assert differing
    assert all(name.startswith("router.graft.") for name in differing)  # running statistics


@BOTH
def test_other_labels_of_the_training_images_change_the_student_alone(
    joint: bool, start: Objectives, small_batch: Batches
) -> None:
    batch = small_batch(1)
    other = batch._replace(labels=(batch.labels + 1) % 5)
    ours, theirs = (gradients(start(joint=joint), each) for each in (batch, other))
    assert equal(ours["router"], theirs["router"])
    assert not equal(ours["student"], theirs["student"])


@BOTH
def test_on_the_same_images_the_router_learns_as_the_adaptive_one(
    joint: bool, small_objective: Objectives, small_batch: Batches
) -> None:
    batch = small_batch(1)._replace(source=lambda _purpose: generator(1))
    batch = batch._replace(aside=batch)
    apart, usual = (
        small_objective("at", policy, train_teacher=joint).eval()(batch)
        for policy in ("heldout", "adaptive")
    )
    assert torch.equal(apart.losses["router"], usual.losses["router"])
    assert torch.equal(apart.losses["student"], usual.losses["student"])


def test_draws_for_images_set_aside_follow_from_the_step(
    start: Objectives, small_batch: Batches
) -> None:
    batch, asked = small_batch(1), list[str]()

    def source(purpose: str) -> torch.Generator:
        asked.append(purpose)
        return generator(batch.seed, purpose)

    drawn = gradients(start(), batch)
    again = gradients(start(), batch._replace(source=source))
    assert asked == ["policy", "policy aside"]
    assert equal(drawn["router"], again["router"])
    other = gradients(start(), batch._replace(aside=batch.aside._replace(seed=77)))
    assert equal(drawn["router"], other["router"])


def test_the_networks_see_them_in_evaluation_mode_and_return_to_their_own(
    start: Objectives, small_batch: Batches
) -> None:
    objective, modes = start(), []
    kept = copy.deepcopy(objective.student)
    objective.student.head.register_forward_pre_hook(
        lambda head, _inputs: modes.append((head.training, torch.is_grad_enabled()))
    )
    objective(small_batch(1))
    assert modes[:2] == [(True, True), (False, False)]
    assert all(module.training for module in objective.student.modules())
    kept.train()(small_batch(1).images)
    for name, value in kept.named_buffers():  # statistics of the training images alone
        assert torch.equal(value, objective.student.get_buffer(name)), name


def test_without_images_set_aside_the_first_step_says_so(
    start: Objectives, small_batch: Batches
) -> None:
    with pytest.raises(UserError, match=r"images set aside, .*none: .*data\.set_aside"):
        start()(small_batch(1)._replace(aside=None))
