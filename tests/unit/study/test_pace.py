"""A few steps of a training are timed, those of the training itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

import pytest

from sakd.data import BatchStream
from sakd.foundation.errors import UserError
from sakd.objectives import Distillation, SpotDistillation
from sakd.objectives.branches import IN_LINE, Branches
from sakd.study.bench import Bench
from sakd.study.pace import Timer, Watch, steps_of
from sakd.study.trainings import Training
from sakd.training import Run

Make = Callable[..., Training]


class Sundial:
    """A clock that goes on by the lengths of what is done."""

    def __init__(self, *lengths: float) -> None:
        self.now = 0.0
        self.lengths = list(lengths)

    def __call__(self) -> float:
        return self.now

    def act(self) -> None:
        self.now += self.lengths.pop(0)


@pytest.mark.parametrize(
    ("lengths", "patience", "typical", "left"),
    [
        ([90, 1, 7, 2, 50], 100, 2, 1),  # the first warms up, the median of three
        ([5, 6, 8, 50], 15, 7, 1),  # two within the patience
        ([5, 50], 3, 5, 1),  # the only one counts
        ([5, 50], 0, 5, 1),
    ],
)
def test_what_is_done_again_and_again_takes_the_median(
    lengths: list[float], patience: float, typical: float, left: int
) -> None:
    clock = Sundial(*lengths)
    assert Watch(patience, clock=clock).typical(clock.act) == typical
    assert len(clock.lengths) == left


def test_the_end_of_what_was_begun_is_waited_for() -> None:
    clock = Sundial(4)
    assert Watch(0, settle=clock.act, clock=clock).typical(lambda: None) == 4


@pytest.mark.parametrize("method", [("kd", "always"), ("at", "adaptive"), ("crd", "anti")])
def test_a_training_with_a_teacher_has_a_pace(
    make_training: Make, bench: Bench, method: tuple[str, str]
) -> None:
    pace = Timer(bench).pace(make_training(*method), patience=0)
    assert min(pace.step, pace.teacher, pace.measuring) > 0
    assert pace.beforehand == 0


@pytest.mark.parametrize(("limit", "views"), [(0, 0), (64, 36)])
def test_the_views_for_which_outputs_are_kept_are_counted(
    make_training: Make, bench: Bench, limit: int, views: int
) -> None:
    training = make_training("at", distillation=Distillation(keep_outputs_mb=limit))
    assert Timer(bench).pace(training, patience=0).views == views


def test_a_student_alone_and_one_that_changes_its_teacher_ask_no_frozen_one(
    make_training: Make, bench: Bench
) -> None:
    joint = make_training("kd", distillation=Distillation(objective="joint"))
    timer = Timer(bench)
    for training in (make_training("none", "none"), joint):
        assert timer.pace(training, patience=0).teacher == 0


def test_what_comes_first_is_timed_too(make_training: Make, bench: Bench) -> None:
    brief = Distillation(options={"ft": {"pretrain_epochs": 1}})
    assert Timer(bench).pace(make_training("ft", distillation=brief), patience=0).beforehand > 0


def test_a_step_has_its_share_of_what_precedes_an_epoch(
    make_training: Make, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every other epoch begins with 3 seconds of work, and nothing else takes time."""
    training, images, clock = make_training("kd"), [], Sundial()

    def begin(_objective: object, epoch: int, epochs: int, stream: BatchStream) -> None:
        assert epochs == training.recipe.epochs == 2
        images.append(sum(len(batch.labels) for batch in stream.epoch(epoch)))
        clock.now += 3 * (epoch == 0)

    monkeypatch.setattr(SpotDistillation, "begin_epoch", begin)
    monkeypatch.setattr("sakd.study.pace.Watch", lambda *given: Watch(*given, clock=clock))
    assert Timer(bench).pace(training, patience=0).step == 1.5
    assert set(images) == {training.recipe.batch_size}


def test_the_steps_are_those_of_the_training_on_whole_batches(
    make_training: Make, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    step = Run.step

    def counted(run: Run, batch: object, teacher: object = None) -> None:
        sizes.append(len(batch.labels))  # type: ignore[attr-defined]
        step(run, batch, teacher)  # type: ignore[arg-type]

    monkeypatch.setattr(Run, "step", counted)
    training = make_training("kd")
    Timer(bench).pace(training, patience=math.inf)
    assert sizes == [training.recipe.batch_size] * 4
    assert steps_of(training) == 5


class Recorder:
    """Repeats a step by taking it again, and counts the repetitions."""

    def __init__(self) -> None:
        self.repeated = 0

    def rehearse(self, action: Callable[[], None]) -> None:
        action()

    def record(self, action: Callable[[], None], _generators: object) -> Callable[[], None]:
        def repeat() -> None:
            self.repeated += 1
            action()

        return repeat

    def teachers(self) -> Branches:
        return IN_LINE

    def place(self, _number: int, _of: int, _draws: object) -> nullcontext[Branches]:
        return nullcontext(IN_LINE)


@pytest.mark.parametrize(("graph", "repeated"), [(True, 5), (False, 0)])
def test_steps_are_repeated_from_a_record_where_the_run_does_so(
    make_training: Make,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    graph: bool,
    repeated: int,
) -> None:
    recorder = Recorder()
    monkeypatch.setattr("sakd.study.pace.recorder_for", lambda _device: recorder)
    timer = Timer(replace(bench, graph=graph))
    assert timer.pace(make_training("kd", "adaptive"), patience=math.inf).step > 0
    assert recorder.repeated == repeated


def test_nothing_is_compiled(
    make_training: Make, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError

    monkeypatch.setattr("torch.compile", refuse)
    assert Timer(bench).pace(make_training("kd", compile=True), patience=0).step > 0


def test_a_step_that_fails_ends_a_recorded_training_too(
    make_training: Make, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_run: Run, _batch: object, _teacher: object = None) -> None:
        raise RuntimeError("it burns")

    monkeypatch.setattr("sakd.study.pace.recorder_for", lambda _device: Recorder())
    monkeypatch.setattr(Run, "learn", fail)
    with pytest.raises(RuntimeError, match="it burns"):
        Timer(bench).pace(make_training("kd"), patience=0)


def test_a_teacher_and_a_network_are_timed_once(make_training: Make, bench: Bench) -> None:
    timer = Timer(bench)
    one, other = (timer.pace(make_training(name), patience=0) for name in ("kd", "at"))
    assert (one.teacher, one.measuring) == (other.teacher, other.measuring)


def test_what_would_end_the_training_is_raised(make_training: Make, bench: Bench) -> None:
    def broken(_teacher: object) -> object:
        raise UserError("no fit")

    with pytest.raises(UserError, match="no fit"):
        Timer(bench).pace(replace(make_training("kd"), build=broken), patience=0)  # type: ignore[arg-type]
