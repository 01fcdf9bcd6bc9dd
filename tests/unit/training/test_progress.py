"""Progress: bars on a terminal, lines elsewhere, and a collapse of the policy in both."""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from sakd.foundation import console
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.objectives import Objective
from sakd.study.bench import Bench
from sakd.study.train import run_training
from sakd.study.trainings import Training
from sakd.training import progress as module
from sakd.training.progress import Lines, Progress, describe
from sakd.training.whole import Share, Whole

Make = Callable[..., Training]
SPOTS = ("gate_rate/stage1", "gate_rate/logits")


def run_at(epoch: int, epochs: int, **record: float) -> Any:
    """Stand in for a run after ``epoch``."""
    deciding = SimpleNamespace(chooses=True, phases=tuple)
    return SimpleNamespace(
        history=[record] * epoch, epochs=epochs, steps=1, taken=0, objective=deciding
    )


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Catch the output to a terminal."""
    shown = io.StringIO()
    terminal = Console(force_terminal=True, file=shown, width=200, _environ={})
    monkeypatch.setattr(console, "get_console", lambda: terminal)
    return shown


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ((1.0, 1.0), "gate 1.00/1.00, policy collapsed to always"),
        ((0.0, 0.001), "gate 0.00/0.00, policy collapsed to never"),
        ((1.0, 0.0), "gate 1.00/0.00, policy collapsed to one fixed route"),
        ((0.6, 1.0), "gate 0.60/1.00"),
    ],
)
def test_a_collapse_of_the_policy_is_named(rates: tuple[float, float], words: str) -> None:
    gates = dict(zip(SPOTS, rates, strict=True))
    run = run_at(1, 2, val_top1=0.5, **gates)
    assert describe(run) == f"val 50.00 %, {words}"


def test_weights_are_named_with_their_effective_share() -> None:
    run = run_at(1, 2, val_top1=0.5, **{"gate_rate/logits": 1.0, "effective_share/logits": 0.998})
    words = "gate 1.00, effective 1.00, policy collapsed to equal weights"
    assert describe(run) == f"val 50.00 %, {words}"


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.5, ""), (1.0, ", transfer collapsed to equal weights")],
)
def test_strengths_of_transfer_are_in_the_log_under_every_policy(share: float, words: str) -> None:
    rates = {"transfer_rate/stage1-stage1": 0.25, "transfer_rate/stage2-stage1": 0.5}
    run = run_at(1, 2, val_top1=0.5, **dict.fromkeys(SPOTS, 1.0), **rates, transfer_share=share)
    run.objective.chooses = False
    assert describe(run) == f"val 50.00 %, transfer 0.25/0.50{words}"


def test_a_policy_with_given_rates_cannot_collapse() -> None:
    run = run_at(1, 2, val_top1=0.9875, **dict.fromkeys(SPOTS, 1.0))
    run.objective.chooses = False
    assert describe(run) == "val 98.75 %"


def test_further_networks_are_shown_by_their_names() -> None:
    run = run_at(1, 2, val_top1=0.5, val_top1_peer1=0.25, val_top1_last_stage=0.125)
    run.objective.chooses = False
    assert describe(run) == "val 50.00 %, val peer1 25.00 %, val last_stage 12.50 %"


def test_without_a_terminal_each_training_ends_with_one_line(
    make_training: Make,
    bench: Bench,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 0.0))
    caplog.set_level(logging.INFO, logger="sakd")
    trainings = [make_training("kd", "adaptive"), make_training("sp")]
    with Progress("toys-row", 2) as progress:
        for training in trainings:
            run_training(training, bench, progress)
    assert len(caplog.messages) == 2
    for place, training, line in zip("12", trainings, caplog.messages, strict=True):
        assert line.startswith(f"toys-row {place}/2: {training.id}: epoch 2/2, val ")
    assert re.search(r", gate [01]\.\d\d, ", caplog.messages[0])
    assert "gate" not in caplog.messages[1]


def test_a_collapsed_router_is_in_the_log(
    make_training: Make, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="sakd")
    leaning = replace(make_training("kd", "adaptive"))
    built = leaning.build

    def lean(_teacher: object = None) -> Objective:
        objective = built(None)
        objective.router.policy.favour_distilling(100.0)  # type: ignore[union-attr]
        return objective

    run_training(replace(leaning, build=lean), bench, Progress("toys", 1))
    assert "policy collapsed to always" in caplog.messages[-1]


def test_lines_are_not_logged_more_often_than_they_are_read(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="sakd")
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    lines = Lines("toys 1/1: cell")
    lines.on_start(run_at(0, 10))
    for epoch in range(1, 11):
        now[0] += 4
        lines.on_epoch(run_at(epoch, 10, val_top1=0.5))
    assert caplog.messages == [
        "toys 1/1: cell: epoch 4/10, val 50.00 %, 24 s left",
        "toys 1/1: cell: epoch 8/10, val 50.00 %, 8 s left",
        "toys 1/1: cell: epoch 10/10, val 50.00 %, 40 s",
    ]


def test_the_time_left_follows_from_this_sitting_alone(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="sakd")
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    lines = Lines("cell")
    lines.on_start(run_at(6, 10))
    now[0] = 20
    lines.on_epoch(run_at(7, 10))
    assert caplog.messages[0].endswith("60 s left")


def test_on_a_terminal_bars_show_cells_epochs_and_steps(
    make_training: Make,
    bench: Bench,
    terminal: io.StringIO,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="sakd")
    trainings = [make_training("kd", "adaptive"), make_training("sp")]
    with Progress("toys-row", 2) as progress:
        for training in trainings:
            assert run_training(training, bench, progress).status == DONE
        assert progress.bars is not None
        assert [task.completed for task in progress.bars.tasks] == [2]
        progress.bars.refresh()
    assert "toys-row" in terminal.getvalue()
    ends = [line.partition(": epoch 2/2")[0] for line in caplog.messages]
    assert ends == [
        f"toys-row {place}/2: {training.id}" for place, training in enumerate(trainings, 1)
    ]


@pytest.fixture
def clock() -> SimpleNamespace:
    """The time on a terminal of 80 columns."""
    return SimpleNamespace(now=0.0)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch, clock: SimpleNamespace) -> io.StringIO:
    """Catch the output to a terminal of 80 columns."""
    shown = io.StringIO()
    how: dict[str, Any] = {"color_system": "standard", "_environ": {}}
    screen = Console(force_terminal=True, file=shown, width=80, get_time=lambda: clock.now, **how)
    monkeypatch.setattr(console, "get_console", lambda: screen)
    return shown


def last_lines(progress: Progress, shown: io.StringIO) -> list[str]:
    """Draw the bars once more, and read them."""
    assert progress.bars is not None
    shown.seek(0)
    shown.truncate()
    progress.bars.refresh()
    return [re.sub(r"\x1b\[[\d;?]*\w", "", line) for line in shown.getvalue().splitlines()]


def test_on_80_columns_the_measure_and_the_rates_of_an_adaptive_cell_are_shown(
    narrow: io.StringIO,
) -> None:
    rates = {f"gate_rate/{spot}": 0.25 for spot in ("stage1", "stage2", "stage3", "logits")}
    with Progress("digits-resnet20-resnet8-s0", 9) as progress:
        (bars, _) = progress.of("digits-resnet20-resnet8-at-adaptive-s0")
        run = run_at(120, 240, val_top1=0.9321, **rates)
        run.steps = 390
        bars.on_start(run)
        bars.on_epoch(run)
        rows = [line for line in last_lines(progress, narrow) if line.strip()]
    assert all(len(line) <= 80 for line in rows)
    _, epochs, steps = rows
    assert re.search(r"adaptive-s0 .*\d/240 +[-\d:]+ val 93\.21 % *$", epochs)
    assert re.search(r"steps .* 0/390 +[-\d:]+ gate 25/25/25/25 % *$", steps)


def test_on_80_columns_bar_epoch_and_time_left_stay_and_the_note_is_cut(
    narrow: io.StringIO, clock: SimpleNamespace
) -> None:
    name = "digits-resnet20-resnet8-at-random_matched-s0"
    with Progress("digits-resnet20-resnet8-s0", 9) as progress:
        (bars, _) = progress.of(name, 1)
        bars.on_start(run_at(0, 240))
        clock.now += 2
        rates = {f"gate_rate/stage{k}": 0.5 for k in range(9)}
        bars.on_epoch(run_at(120, 240, val_top1=0.9321, **rates))
        rows = [line for line in last_lines(progress, narrow) if line.strip()]
    assert all(len(line) <= 80 for line in rows)
    assert rows[0].startswith("digits-resnet20-resnet8-s0")
    cell = next(line for line in rows if "random_matched-s0" in line)
    assert cell.startswith("\N{HORIZONTAL ELLIPSIS}")
    assert re.search(r"1/240 +\d+:\d\d:\d\d val 93\.21 %, gate 50/\N{HORIZONTAL ELLIPSIS} *$", cell)
    assert cell.count("\N{BOX DRAWINGS HEAVY HORIZONTAL}") >= 10


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (27, "val 61.11 %, gate 0.50/0.25"),
        (26, "val 61.11 %, gate 0.50/\N{HORIZONTAL ELLIPSIS}"),
        (24, "val 61.11 %, gate 0.50/\N{HORIZONTAL ELLIPSIS}"),
        (23, "val 61.11 %, \N{HORIZONTAL ELLIPSIS}"),
        (8, "val 61.\N{HORIZONTAL ELLIPSIS}"),
        (1, "\N{HORIZONTAL ELLIPSIS}"),
    ],
)
def test_a_note_is_cut_after_a_whole_value(width: int, shown: str) -> None:
    assert console.beginning("val 61.11 %, gate 0.50/0.25", width) == shown


def test_one_bar_counts_the_trainings_of_the_whole_run(
    narrow: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Progress, "whole", Whole(4, 40.0, 20.0, 100.0))
    with Progress("teacher", 1) as progress:
        progress.done()
    with Progress("toys-row", 3) as progress:
        progress.done()
        rows = last_lines(progress, narrow)
    whole = next(line for line in rows if line.startswith("all trainings"))
    assert re.search(r"2/4 +0:01:40 toys-row", whole)


def test_the_time_left_of_a_run_follows_from_what_it_has_trained_of_its_estimate() -> None:
    run = Whole(4, teacher=40.0, student=20.0, estimate=100.0, _started=time.monotonic() - 6000)
    assert run.left() == 100.0
    for cost, before in ((run.teacher, 0), (run.student, 5)):
        share = Share(run, cost)
        for epoch in range(before, 10):
            share.on_epoch(run_at(epoch + 1, 10))
    assert run.trained == pytest.approx(50.0)
    assert run.left() == pytest.approx(6000, rel=0.1)


def test_the_trainings_of_a_run_count_in_its_estimate(
    make_training: Make, bench: Bench, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Whole(1, teacher=40.0, student=20.0, estimate=20.0)
    monkeypatch.setattr(Progress, "whole", run)
    run_training(make_training("kd"), bench, progress)
    assert (run.ended, run.trained) == (1, pytest.approx(20.0))


def test_bars_name_the_training_and_its_last_epoch(terminal: io.StringIO) -> None:
    with Progress("toys-row", 1) as progress:
        start = run_at(0, 3)
        later = run_at(1, 3, val_top1=0.25, routing=1.0, **dict.fromkeys(SPOTS, 0.0))
        for watch in progress.of("toys-cell"):
            watch.on_start(start)
            watch.on_step(start)
            watch.on_epoch(later)
        assert progress.bars is not None
        progress.bars.refresh()
    assert "toys-cell" in terminal.getvalue()
    assert "val 25.00 %" in terminal.getvalue()
    assert "gate 0/0 %, policy collapsed to never" in terminal.getvalue()


@pytest.mark.parametrize("error", [UserError("this cannot be"), RuntimeError("it burns")])
def test_bars_survive_a_training_that_fails(
    make_training: Make, bench: Bench, terminal: io.StringIO, error: Exception
) -> None:
    def build(_teacher: object) -> Objective:
        raise error

    with Progress("toys-row", 2) as progress:
        assert (
            run_training(replace(make_training("sp"), build=build), bench, progress).status
            == FAILED
        )
        assert run_training(make_training("kd"), bench, progress).status == DONE
    assert "toys-row" in terminal.getvalue()


def test_an_interruption_gives_the_terminal_back_and_says_how_to_go_on(
    terminal: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="sakd")
    progress = Progress("toys-row", 2)
    progress.__enter__()
    progress.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert progress.bars is not None
    assert not progress.bars.live.is_started
    assert "\x1b[?25h" in terminal.getvalue()
    assert "the same command goes on from here" in caplog.text
