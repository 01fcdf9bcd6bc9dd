"""Trackers receive every epoch, change no result, and cannot end a training."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from sakd.data import Splits
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE
from sakd.pipelines.keys import student_settings
from sakd.study.bench import Bench
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore
from sakd.study.trackers import TRACKERS, Tracked, Tracker
from sakd.study.trackers.tensorboard import TensorBoard
from sakd.study.train import run_training
from sakd.study.trainings import Training
from sakd.training.progress import Progress
from sakd.weights.saved import load_weights

Make = Callable[..., Training]


class Listening(Tracker):
    """Writes down every call."""

    told: list[tuple[Any, ...]]

    def __init__(self, tracked: Tracked) -> None:
        super().__init__(tracked)
        self.told.append(("start", tracked.id, tracked.done))

    def epoch(self, number: int, record: Mapping[str, float]) -> None:
        self.told.append((number, *record))

    def close(self) -> None:
        self.told.append(("end",))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    words: list[tuple[Any, ...]] = []
    monkeypatch.setattr(Listening, "told", words, raising=False)
    return words


def test_a_tracker_is_told_of_the_start_every_epoch_and_the_end(
    make_training: Make, bench: Bench, progress: Progress, told: list[tuple[Any, ...]]
) -> None:
    training = make_training("kd", "adaptive")
    run_training(training, replace(bench, trackers=(Listening,)), progress)
    start, first, second, end = told
    assert (start, end) == (("start", training.id, 0), ("end",))
    assert (first[0], second[0]) == (1, 2)
    assert {"cross_entropy", "gate_rate/logits", "val_top1"} <= set(first)


class Breaking(Listening):
    """Fails at one of its methods."""

    at: str

    def __init__(self, tracked: Tracked) -> None:
        super().__init__(tracked)
        self.fail("start")

    def epoch(self, number: int, record: Mapping[str, float]) -> None:
        super().epoch(number, record)
        self.fail("epoch")

    def fail(self, here: str) -> None:
        if here == self.at:
            raise ConnectionError("no network")


@pytest.mark.parametrize(("at", "words"), [("start", 1), ("epoch", 2)])
def test_a_tracker_that_fails_is_left_out_and_the_weights_keep_their_bits(
    at: str,
    words: int,
    make_training: Make,
    bench: Bench,
    told: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(Breaking, "at", at, raising=False)
    training = make_training("kd", "adaptive")
    other = replace(bench, store=CellStore(bench.store.root / "others"), trackers=(Breaking,))
    assert run_training(training, other, Progress("toys", 1)).status == DONE
    run_training(training, bench, Progress("toys", 1))
    digests = {load_weights(each.entry(training).last).sha256() for each in (bench, other)}
    assert len(digests) == 1
    assert len(told) == words
    assert caplog.text.count("Breaking failed and is left out from here on: Connection") == 1


def test_the_tracker_of_the_page_works(make_training: Make, bench: Bench, root: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (root / "docs/commands.md").read_text(), re.S)
    module = ModuleType("a_tracker_of_the_page")
    exec(example, vars(module))
    training = make_training("kd")
    run_training(training, replace(bench, trackers=(module.Lines,)), Progress("toys", 1))
    lines = (bench.entry(training).folder.parent / "lines.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]
    assert json.loads(lines[0])["cell"] == training.id


@pytest.mark.parametrize(("kind", "package"), [("ToMlflow", "mlflow"), ("ToWandb", "wandb")])
def test_the_trackers_of_other_programs_send_every_number_and_end(
    kind: str,
    package: str,
    make_training: Make,
    bench: Bench,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = MagicMock()
    monkeypatch.setitem(sys.modules, package, program)
    module = ModuleType("trackers_of_the_page")
    examples = re.findall(r"```python\n(.*?)```", (root / "docs/trackers.md").read_text(), re.S)
    exec(next(each for each in examples if f"import {package}" in each), vars(module))
    training = make_training("kd")
    run_training(training, replace(bench, trackers=(getattr(module, kind),)), Progress("toys", 1))
    history = bench.entry(training).history()
    run, client = program.init.return_value, program.MlflowClient.return_value
    if kind == "ToWandb":
        sent = [call.args[0] | {"epoch": call.kwargs["step"]} for call in run.log.call_args_list]
        assert sent == history
        run.finish.assert_called_once_with()
    else:
        sent = [call.args[1:] for call in client.log_metric.call_args_list]
        assert sent == [pair for record in history for pair in record.items()]
        client.set_terminated.assert_called_once()


def test_a_class_of_another_package_is_found_and_others_are_refused() -> None:
    assert TRACKERS[f"{__name__}:Listening"] is Listening
    with pytest.raises(UserError, match=r"unknown tracker 'tensorbord'; did you mean 'tensorboard"):
        Parameters(trackers=("tensorbord",)).check()
    with pytest.raises(UserError, match="is no tracker"):
        _ = TRACKERS["pathlib:Path"]


def test_trackers_are_no_part_of_the_settings_of_an_evaluation(splits: Splits) -> None:
    with_and_without = [
        student_settings(Parameters(trackers=names), splits.card.to_json())
        for names in ((), ("tensorboard",))
    ]
    assert len(set(with_and_without)) == 1


def test_tensorboard_without_its_package_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sakd.foundation.extras.find_spec", lambda _name: None)
    with pytest.raises(UserError, match=r"tensorboard.*sakd\[tensorboard\]"):
        Parameters(trackers=("tensorboard",)).check()


def test_tensorboard_gets_every_number_and_goes_on_after_the_last_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    class Writer(SimpleNamespace):
        def __init__(self, folder: str, purge_step: int) -> None:
            super().__init__(folder=folder, purge_step=purge_step, points=[], open=True)
            made.append(self)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            self.points.append((name, value, step))

        def flush(self) -> None:
            pass

        def close(self) -> None:
            self.open = False

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    board = TensorBoard(Tracked("cell", "key", {}, tmp_path, done=3))
    board.epoch(4, {"epoch": 4.0, "cross_entropy": 0.5, "val_top1": 0.9})
    board.close()
    (writer,) = made
    assert writer.points == [("cross_entropy", 0.5, 4), ("val_top1", 0.9, 4)]
    assert (writer.folder, writer.purge_step) == (str(tmp_path / "tensorboard"), 4)
    assert not writer.open


def test_event_files_can_be_read_back(make_training: Make, bench: Bench) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (  # noqa: PLC0415
        EventAccumulator,
    )

    training = make_training("kd", "adaptive")
    run_training(training, replace(bench, trackers=(TensorBoard,)), Progress("toys", 1))
    events = EventAccumulator(str(bench.entry(training).folder / "tensorboard"))
    events.Reload()
    history = bench.entry(training).history()
    points = events.Scalars("val_top1")
    assert [point.step for point in points] == [1, 2]
    values = [pytest.approx(line["val_top1"], abs=1e-6) for line in history]
    assert [point.value for point in points] == values
