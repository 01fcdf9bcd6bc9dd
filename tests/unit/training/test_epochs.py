"""Distillers learn of each epoch, and a training goes on from any of them to the bit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import Batch, BatchStream
from sakd.distillers import Distiller, Epoch, Side
from sakd.distillers.base import mean_over_batch
from sakd.networks import StagedNetwork
from sakd.networks.spots import SpotFamily
from sakd.objectives import DataFacts, SpotDistillation, distil
from sakd.training import Precision, Run, train

Streams = Callable[..., BatchStream]
Make = Callable[..., SpotDistillation]
EPOCHS = 4


class Fading(Distiller):
    """Compares maps less from epoch to epoch, by means that it takes of every other epoch."""

    family = SpotFamily.EVERY_STAGE
    equal_channels = True
    unrectified = Side.STUDENT
    factor: Tensor
    means: Tensor

    def __init__(self, pair: Any) -> None:
        super().__init__(pair)
        self.register_buffer("factor", torch.zeros(()))
        self.register_buffer("means", torch.zeros(len(pair.spots), 2))
        self.looked: list[int] = []

    @torch.no_grad()
    def begin_epoch(self, epoch: Epoch) -> None:
        self.factor.fill_(1 - epoch.number / epoch.total)
        if epoch.number % 2 == 0:
            self.looked.append(epoch.number)
            seen = [
                [torch.stack([x.mean(), y.mean()]) for x, y in zip(*batch, strict=True)]
                for batch in epoch.features()
            ]
            self.means.copy_(torch.stack([torch.stack(means) for means in seen]).mean(dim=0))

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        ours, theirs = self.means[spot]
        errors = ((student - ours) - (teacher - theirs)).square().mean(dim=(1, 2, 3))
        return self.factor * mean_over_batch(errors, chosen)


@pytest.fixture
def make(small_network: Callable[..., StagedNetwork]) -> Make:
    """Distil by `Fading`, under a policy that is trained."""

    def build(seed: int = 0) -> SpotDistillation:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            data = DataFacts((3, 8, 8), torch.arange(20) % 5)
            made = distil(small_network(seed), small_network(9), Fading, "adaptive", data)
        assert isinstance(made, SpotDistillation)
        return made

    return build


def fading(objective: SpotDistillation) -> Fading:
    (found,) = (d for d in objective.distillers.values() if isinstance(d, Fading))
    return found


def trained(objective: SpotDistillation, stream: BatchStream, **options: Any) -> Run:
    run = Run(objective, epochs=EPOCHS, **options)
    train([run], stream, graph=True)  # by a tape, where a test has one
    if run.failure is not None:
        raise run.failure
    return run


@pytest.mark.parametrize("recorded", [False, True])
def test_whatever_an_epoch_changes_goes_on_after_a_resume_to_the_bit(
    recorded: bool,
    make: Make,
    small_stream: Streams,
    kept_states: Any,
    request: pytest.FixtureRequest,
) -> None:
    whole = trained(make(), small_stream(1), callbacks=[kept_states])
    if recorded:
        request.getfixturevalue("tape")
    assert fading(whole.objective).looked == [0, 2]
    for place in ((1, 0), (2, 0), (3, 0), (0, 2), (2, 1), (2, 3), (3, 1)):
        resumed = trained(make(5), small_stream(1), resume=kept_states.at(place))
        assert fading(resumed.objective).looked == [n for n in (0, 2) if n >= place[0]]
        assert resumed.history == whole.history
        ours = resumed.objective.state_dict()
        for name, value in whole.objective.state_dict().items():
            assert torch.equal(value, ours[name]), name


def test_what_is_looked_at_are_the_features_of_both_networks_in_evaluation_mode(
    make: Make, small_stream: Streams
) -> None:
    objective, stream = make(), small_stream(1)
    objective.train()
    before = copy.deepcopy(objective.state_dict())
    found: list[Any] = []
    distiller = fading(objective)
    distiller.begin_epoch = lambda epoch: found.extend(epoch.features())
    objective.begin_epoch(3, EPOCHS, stream)
    after = objective.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert objective.student.training
    assert not objective.teacher.training
    student, teacher = (copy.deepcopy(x).eval() for x in (objective.student, objective.teacher))
    for (ours, theirs), batch in zip(found, stream.epoch(3), strict=True):
        _, unrectified = student.extract_unrectified(batch.images)
        expected = unrectified.features[1:4], teacher.extract(batch.images).features[1:4]
        for some, wanted in zip((ours, theirs), expected, strict=True):
            assert not any(x.requires_grad for x in some)
            assert all(torch.equal(x, y) for x, y in zip(some, wanted, strict=True))


def test_in_half_precision_the_networks_run_in_it_and_the_distiller_does_not(
    make: Make, small_stream: Streams
) -> None:
    objective, stream = make(), small_stream(1)
    distiller, found = fading(objective), []

    def look(epoch: Epoch) -> None:
        for ours, _theirs in epoch.features():
            found.append((ours[0], (torch.ones(2, 2) @ torch.ones(2, 2)).dtype))

    distiller.begin_epoch = look
    for precision in (Precision(torch.bfloat16), Precision()):
        Run(objective, epochs=EPOCHS, precision=precision).begin_epoch(stream)
    assert {x.dtype for x, _ in found} == {kind for _, kind in found} == {torch.float32}
    half = len(found) // 2
    assert not torch.equal(found[0][0], found[half][0])


def test_a_look_that_fails_fails_its_run_alone(make: Make, small_stream: Streams) -> None:
    def fail(_epoch: Epoch) -> None:
        raise ValueError("no more")

    runs = [Run(make(seed), epochs=EPOCHS) for seed in (0, 1)]
    fading(runs[0].objective).begin_epoch = fail
    train(runs, small_stream(1))
    assert isinstance(runs[0].failure, ValueError)
    assert [len(run.history) for run in runs] == [0, EPOCHS]
