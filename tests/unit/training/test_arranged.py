"""Objectives that make another batch of the one that they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import Batch, BatchStream
from sakd.networks import StagedNetwork
from sakd.objectives import Optimisation, Outputs, SpotDistillation, StepResult, Supervised
from sakd.study.memory import needs
from sakd.training import Callback, Precision, Run, train

Networks = Callable[..., StagedNetwork]
Streams = Callable[..., BatchStream]

KEPT = {8: 3, 4: 2}


class Least(Supervised):
    """Learn a few images, those of which the network is least sure."""

    seen: Batch

    def arrange(self, batch: Batch) -> Batch:
        with torch.no_grad():
            chances = self.student(batch.images).float().softmax(dim=1)
        rows = chances.amax(dim=1).argsort()[: KEPT.get(len(batch.labels), 2)]
        return batch._replace(
            images=batch.images[rows], labels=batch.labels[rows], index=batch.index[rows]
        )

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        self.seen = batch
        return super().forward(batch, teacher)


class Losses(Callback):
    """Collect the loss of every step, and how many images it is a mean over."""

    def __init__(self) -> None:
        self.found: list[tuple[Tensor, int]] = []

    def keep(self, module: Least, _inputs: Any, result: StepResult) -> None:
        self.found.append((result.terms["cross_entropy"], len(module.seen.labels)))


@pytest.mark.parametrize("graph", [False, True])
def test_the_means_of_an_epoch_are_over_what_was_learnt(
    graph: bool, small_network: Networks, small_stream: Streams, tape: Any
) -> None:
    steady = {"student": Optimisation(milestones=())}
    plain, repeated = (Run(Least(small_network(0)), epochs=3, optimisation=steady) for _ in "ab")
    losses = Losses()
    plain.objective.register_forward_hook(losses.keep)
    train([plain], small_stream(1))
    train([repeated], small_stream(1), graph=graph)
    assert plain.failure is repeated.failure is None
    for epoch, steps in enumerate(zip(*[iter(losses.found)] * 3, strict=True)):
        assert [size for _, size in steps] == [3, 3, 2]
        mean = sum(float(loss) * size for loss, size in steps) / 8
        assert plain.history[epoch]["cross_entropy"] == pytest.approx(mean, rel=1e-6)
    assert repeated.history == plain.history
    assert sum(tape.plays) == 5 * graph  # of nine steps, two of each size come before a record


def test_the_batch_that_was_made_is_laid_out_and_learnt_in_half_precision(
    small_network: Networks, small_batch: Callable[..., Batch]
) -> None:
    run = Run(
        Least(small_network(0)),
        epochs=1,
        precision=Precision(torch.bfloat16, channels_last=True),
    )
    run.start(1)
    run.objective.train()
    before = [parameter.clone() for parameter in run.objective.parameters()]
    run.step(run.precision.seen(small_batch(0)))
    assert run.objective.seen.images.is_contiguous(memory_format=torch.channels_last)
    pairs = zip(before, run.objective.parameters(), strict=True)
    assert all(not torch.equal(old, new) for old, new in pairs)


def test_a_teacher_that_was_shown_other_images_is_refused(
    small_objective: Callable[..., SpotDistillation],
    small_stream: Streams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SpotDistillation, "arrange", Least.arrange)
    run = Run(small_objective("kd", "always"), epochs=1)
    train([run], small_stream(1))
    assert isinstance(run.failure, TypeError)
    assert "SpotDistillation" in str(run.failure)
    assert "request" in str(run.failure)


def test_the_memory_of_a_step_is_that_of_the_batch_that_was_made(
    small_network: Networks, small_batch: Callable[..., Batch]
) -> None:
    batch = small_batch(0, size=8)
    few = batch._replace(images=batch.images[:3].clone(), labels=batch.labels[:3].clone())
    made, plain = Least(small_network(0)), Supervised(small_network(0))
    assert needs(made, batch) == needs(plain, few)
