"""Kept outputs of a teacher: those that it would compute, computed once, with the same bits."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from sakd.data import BatchStream
from sakd.distillers import DISTILLERS
from sakd.networks import StagedNetwork
from sakd.objectives import Buildable, DataFacts, distil
from sakd.objectives.parameters import Distillation
from sakd.training import EXACT, Callback, Precision, Run, pretrain, train
from sakd.training.capture.waits import Waits
from sakd.training.kept import Asked, keep, kept_bytes, look_up

Streams = Callable[..., BatchStream]
Networks = Callable[..., StagedNetwork]
Make = Callable[..., Buildable]

WIDTHS = (4, 4, 6, 8)  # of student and teacher, as some distillers want equal ones
LABELS = torch.arange(20) % 5
VARIED = {"crop_padding": 2, "flip": True}
BRIEF = {"ft": {"pretrain_epochs": 2}}
FIRST = 8  # images of the batch that shows the shapes
METHODS = [("at", "adaptive"), ("ofd", "anti"), ("crd", "random")]
HALF = Precision(torch.bfloat16, channels_last=True)


@pytest.fixture
def make(small_network: Networks) -> Make:
    """Distil one teacher, the same object every time, into a new student each time."""
    teacher = small_network(99, WIDTHS)

    def build(method: str = "kd", policy: str = "always", keep: int = 1, **how: Any) -> Buildable:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            options = Distillation(options=BRIEF, keep_outputs_mb=keep, **how)
            facts = DataFacts((3, 8, 8), LABELS)
            return distil(small_network(0), teacher, method, policy, facts, distillation=options)

    return build


@contextmanager
def counted(teacher: StagedNetwork) -> Iterator[list[int]]:
    """Count the images of every forward pass of ``teacher``; the graft's begins behind the stem."""
    sizes: list[int] = []
    handle = teacher.stem.register_forward_hook(lambda _, given, __: sizes.append(len(given[0])))
    yield sizes
    handle.remove()


def trained(runs: list[Run], stream: BatchStream) -> list[Run]:
    train(runs, stream)
    assert [run.failure for run in runs] == [None] * len(runs)
    return runs


def assert_same(run: Run, other: Run) -> None:
    assert run.history == other.history
    ours, theirs = run.objective.state_dict(), other.objective.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("precision", [EXACT, HALF], ids=["exact", "fast"])
@pytest.mark.parametrize("method", DISTILLERS)
def test_they_are_what_the_teacher_computes(
    method: str, precision: Precision, make: Make, small_stream: Streams
) -> None:
    run, stream = Run(make(method, "adaptive"), epochs=4, precision=precision), small_stream(1)
    run.precision.lay_out(run.objective)
    kept, asked = keep([run], stream), Asked.by(run.objective, precision)
    assert asked is not None
    tolerance = 1e-5 if precision.autocast is None else 5e-2
    for batch in stream.epoch(3):
        found = asked.request.listed(look_up([run], batch, kept)[run])
        computed = asked.outputs(batch)
        for one, other in zip(found, computed, strict=True):
            torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)
            assert one.stride() == other.stride()
            assert not one.requires_grad


@pytest.mark.parametrize("augment", [{}, {"views": 3, **VARIED}], ids=["unvaried", "three views"])
def test_the_teacher_sees_each_view_once(
    augment: dict[str, Any], make: Make, small_stream: Streams
) -> None:
    stream = small_stream(1, **augment)
    runs = [Run(make(*how), epochs=4) for how in (("kd",), ("ofd", "adaptive"), ("at-sp",))]
    with counted(runs[0].objective.teacher) as sizes:
        trained(runs, stream)
    assert stream.fixed == 20 * augment.get("views", 1)
    assert sum(sizes) == FIRST + stream.fixed


@pytest.mark.parametrize("augment", [{}, {"views": 2, **VARIED}], ids=["unvaried", "two views"])
@pytest.mark.parametrize(("method", "policy"), METHODS)
def test_a_run_has_the_bits_it_has_alone_and_resumed(
    method: str, policy: str, augment: dict[str, Any], make: Make, small_stream: Streams
) -> None:
    states: list[Any] = []

    class Keep(Callback):
        def on_epoch(self, run: Run) -> None:
            states.append(copy.deepcopy(run.state()))

    def run(**options: Any) -> Run:
        return Run(make(method, policy), **{"epochs": 3, **options})

    (alone,) = trained([run(callbacks=[Keep()])], small_stream(1, **augment))
    others = [Run(make("ofd", "adaptive"), epochs=2), Run(make("kd", keep=0), epochs=3)]
    side_by_side = [others[0], run(), run(resume=states[0]), others[1]]
    _, company, resumed, _ = trained(side_by_side, small_stream(1, **augment))
    assert_same(company, alone)
    assert_same(resumed, alone)


def test_what_is_learned_is_the_same_within_rounding(make: Make, small_stream: Streams) -> None:
    computed, kept = (
        trained([Run(make("at", keep=limit), epochs=1)], small_stream(1))[0] for limit in (0, 1)
    )
    for name, value in computed.objective.state_dict().items():
        torch.testing.assert_close(kept.objective.state_dict()[name], value, rtol=1e-3, atol=1e-4)


def test_beyond_the_limit_the_teacher_runs_in_every_step(
    make: Make, small_stream: Streams, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    caplog.set_level(logging.INFO, "sakd")
    monkeypatch.setattr("sakd.training.kept.MB", 1000)
    runs = [Run(make(method, keep=4), epochs=2) for method in ("kd", "at")]
    for run, name in zip(runs, ("kd", "at"), strict=True):
        run.name = name
    with counted(runs[0].objective.teacher) as sizes:
        trained(runs, small_stream(1))
    assert sum(sizes) == FIRST + 20 + 2 * 20
    kilobytes = 20 * 4 * (4 * 64 + 6 * 16 + 8 * 4 + 5) / 1000  # three stages and the logits
    (line,) = [message for message in caplog.messages if "teacher" in message]
    assert f"{kilobytes:.1f} MB" in line
    assert line.startswith("at: ")
    assert "keep_outputs_mb is 4" in line


def test_nothing_is_kept_where_views_or_teacher_change(make: Make, small_stream: Streams) -> None:
    run, learning = Run(make("at"), epochs=1), Run(make("at", objective="joint"), epochs=1)
    assert list(keep([run], small_stream(1))) == [run]
    assert keep([run], small_stream(1, **VARIED)) == {}
    assert keep([learning], small_stream(1)) == {}
    assert keep([Run(make("at", keep=0), epochs=1)], small_stream(1)) == {}


def test_a_pretraining_keeps_them_too(make: Make, small_stream: Streams) -> None:
    objective = make("ft")
    with counted(objective.teacher) as sizes:
        pretrain(objective, small_stream(1))
    assert sum(sizes) == FIRST + 20


def test_to_look_them_up_does_not_make_the_host_wait(make: Make, small_stream: Streams) -> None:
    run, stream = Run(make("ofd", "adaptive"), epochs=1), small_stream(1)
    kept, batch = keep([run], stream), next(stream.epoch(0))
    with Waits(refuse=True):
        assert look_up([run], batch, kept)


@pytest.mark.parametrize(("method", "policy"), METHODS)
def test_recorded_steps_look_up_the_outputs_of_their_own_images(
    method: str, policy: str, make: Make, small_stream: Streams, tape: Any
) -> None:
    stream = small_stream(1, views=2, **VARIED)
    plain, recorded = (Run(make(method, policy), epochs=3) for _ in range(2))
    train([plain], stream, graph=False)
    train([recorded], stream, graph=True)
    assert sum(tape.plays) > 0
    assert_same(recorded, plain)


def test_the_bytes_of_several_count_what_they_share_once(make: Make, small_stream: Streams) -> None:
    stream = small_stream(1)
    asked = [Asked.by(make(method), EXACT) for method in ("kd", "at", "ofd")]
    kd, at, ofd = (one for one in asked if one is not None)
    logits = 20 * 4 * 5
    assert kept_bytes([kd], stream) == logits
    alone = kept_bytes([at], stream)
    assert kept_bytes([kd, at], stream) == alone
    assert kept_bytes([at, ofd], stream) == alone + kept_bytes([ofd], stream) - logits
    assert kept_bytes([at, Asked(at.request, HALF)], stream) == 2 * alone
    assert kept_bytes([at], small_stream(1, **VARIED)) == 0
