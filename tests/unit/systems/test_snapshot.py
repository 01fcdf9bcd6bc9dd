"""Snapshot distillation: when the teacher changes, and the loss by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import UserError
from sakd.objectives import Optimisation
from sakd.systems import SYSTEMS, Partner, Situation
from sakd.training import Callback, Run, train

Make = Callable[..., Any]
Streams = Callable[..., BatchStream]
RECIPE = {"student": Optimisation(lr=0.02)}


class Watch(Callback):
    """Keeps the student's weights of every epoch, the teacher's of every step, and the rates."""

    def __init__(self) -> None:
        self.students: list[torch.Tensor] = []
        self.teachers: list[torch.Tensor] = []
        self.rates: list[float] = []

    def on_step(self, run: Run) -> None:
        self.teachers.append(weights(run.objective.teacher))
        self.rates += run.players["student"].rates

    def on_epoch(self, run: Run) -> None:
        self.students.append(weights(run.objective.student))


def weights(network: Any) -> torch.Tensor:
    return torch.cat([value.double().flatten() for value in network.state_dict().values()])


def test_the_end_of_a_cycle_teaches_the_next(small_system: Make, small_stream: Streams) -> None:
    watch, system = Watch(), small_system("snapshot", cycles=2)
    run = Run(system, epochs=4, optimisation=RECIPE, callbacks=[watch])
    train([run], small_stream(1))
    assert run.failure is None
    for step in range(6, 12):
        assert torch.equal(watch.teachers[step], watch.students[1])
    assert not torch.equal(watch.teachers[5], watch.students[1])
    terms = [set(record) - {"epoch"} for record in run.history]
    both = {"cross_entropy", "soft_cross_entropy"}
    assert terms == [{"cross_entropy"}] * 2 + [both] * 2
    cosine = [0.01 * (1 + math.cos(math.pi * t / 6)) for t in range(6)]
    assert watch.rates == pytest.approx([*cosine, *cosine], rel=1e-5)


def test_the_loss_by_hand(small_system: Make) -> None:
    system = small_system("snapshot", temperature=2.0)
    z_s = torch.tensor([[1.0, 0.0, -1.0], [0.0, 2.0, 1.0]], dtype=torch.float64)
    z_t = torch.tensor([[2.0, 1.0, 0.0], [1.0, 1.0, 3.0]], dtype=torch.float64)
    batch = Batch(torch.zeros(2, 3, 8, 8), torch.tensor([0, 2]), torch.arange(2), 0)
    terms = system.terms(batch, [z_s, z_t])
    assert terms["soft_cross_entropy"].loss == pytest.approx(1.247528, abs=5e-7)
    total = sum(weight * loss for loss, weight in terms.values())
    assert total == pytest.approx(2.608937, abs=5e-7)
    control = small_system("snapshot", weight=0.0).terms(batch, [z_s, z_t])
    assert [term.weight for term in control.values()] == [1.0, 0.0]
    (first,) = system.terms(batch, [z_s]).values()
    assert (first.loss.item(), first.weight) == (pytest.approx(0.907606, abs=5e-7), 1.0)


@pytest.mark.parametrize(
    ("setting", "value"), [("cycles", 1), ("temperature", 0.0), ("weight", -1.0)]
)
def test_settings_have_bounds(setting: str, value: float) -> None:
    with pytest.raises(UserError, match=f"{setting} .*{value}"):
        SYSTEMS["snapshot"].settings(**{setting: value})


def test_cycles_are_of_equal_length(small_situation: Callable[..., Situation]) -> None:
    kind = SYSTEMS["snapshot"]
    situation = replace(small_situation(Partner.NONE), epochs=6)
    with pytest.raises(UserError, match=r"6 epochs .* 4 cycles .* divisor"):
        kind.of(situation, kind.settings())
    kind.of(situation, kind.settings(cycles=3))
