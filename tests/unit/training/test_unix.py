"""Steps on batches that follow from the student: in packs, from records, with kept outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import BatchStream
from sakd.distillers import DISTILLERS
from sakd.objectives import Optimisation, SpotDistillation
from sakd.routing import POLICIES
from sakd.training import Precision, Run, pretrain, train

Objectives = Callable[..., SpotDistillation]
Streams = Callable[..., BatchStream]

FITTING = [name for name, kind in DISTILLERS.items() if kind.objective is None]
CASES = sorted(
    {
        *((name, "adaptive") for name in FITTING if name != "kdsvd"),  # it makes the host wait
        *(("at" if kind.weighs else "crd", policy) for policy, kind in POLICIES.items()),
    }
)


@pytest.fixture
def run_of(small_objective: Objectives, small_stream: Streams) -> Callable[..., Run]:
    """Make a run of three epochs at a steady learning rate, pretrained if need be."""

    def make(method: str, policy: str, objective: str = "unix", **options: Any) -> Run:
        made = small_objective(method, policy, objective=objective, keep_outputs_mb=1)
        pretrain(made, small_stream(1))
        steady = dict.fromkeys(made.players(), Optimisation(milestones=()))
        return Run(made, epochs=3, optimisation=steady, **options)

    return make


def assert_same(one: Run, other: Run) -> None:
    assert one.failure is other.failure is None
    assert one.history == other.history
    ours, theirs = one.objective.state_dict(), other.objective.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize(("method", "policy"), CASES)
def test_a_recorded_pack_has_the_bits_of_each_alone(
    method: str, policy: str, run_of: Callable[..., Run], small_stream: Streams, tape: Any
) -> None:
    kinds = [("distillation", "kd", "always"), ("unix", method, policy)]
    alone, together = ([run_of(m, p, kind) for kind, m, p in kinds] for _ in "ab")
    for run in alone:
        train([run], small_stream(1))
    train(together, small_stream(1), graph=True)
    assert tape.plays == [4, 1]
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)


def test_it_has_the_bits_it_has_without_fixed_views_and_kept_outputs(
    run_of: Callable[..., Run], small_stream: Streams
) -> None:
    assert small_stream(1).fixed
    kept, asking = run_of("ft", "adaptive"), run_of("ft", "adaptive")
    asking.objective.keep_outputs_mb = 0
    train([kept, run_of("at", "always", "distillation")], small_stream(1))
    train([asking], small_stream(1))
    assert_same(kept, asking)


def test_a_run_that_is_resumed_has_the_bits_of_one_that_was_not(
    run_of: Callable[..., Run], small_stream: Streams, kept_states: Any
) -> None:
    whole = run_of("crd", "adaptive", callbacks=[kept_states])
    train([whole], small_stream(1))
    for place in ((1, 0), (0, 2), (2, 1)):
        rest = run_of("crd", "adaptive", resume=kept_states.at(place))
        train([rest], small_stream(1))
        assert_same(rest, whole)


def test_half_precision_trains_every_weight(
    run_of: Callable[..., Run], small_stream: Streams
) -> None:
    half = Precision(torch.bfloat16, channels_last=True)
    runs = [run_of("at", "adaptive", precision=p) for p in (half, Precision())]
    before = [parameter.clone() for parameter in runs[0].objective.student.parameters()]
    train(runs, small_stream(1))
    assert [run.failure for run in runs] == [None, None]
    assert runs[0].history != runs[1].history
    for old, new in zip(before, runs[0].objective.student.parameters(), strict=True):
        assert new.isfinite().all()
        assert not torch.equal(old, new)
