"""Trainings say how far they are while they run, and nothing of it stays or changes them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sakd.foundation.vocabulary import DONE, FAILED
from sakd.objectives import Objective
from sakd.study import beacon
from sakd.study.bench import Bench
from sakd.study.live import RUNNING, Live, read_live
from sakd.study.train import run_trainings
from sakd.study.trainings import Training
from sakd.training import Callback, Run
from sakd.training.progress import Progress

Make = Callable[..., Training]


class Reader(Progress):
    """Reads the files of all trainings after every epoch."""

    def __init__(self, folder: Path) -> None:
        super().__init__("toys", 2)
        self.folder = folder
        self.read: list[list[Live | None]] = []

    def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
        def read(_run: Run) -> None:
            self.read.append([read_live(path) for path in sorted(self.folder.glob("*.json"))])

        watch = Callback()
        watch.on_epoch = read  # type: ignore[method-assign]
        return (watch,)


def test_each_training_of_a_pack_can_be_watched_until_it_ends(
    make_training: Make, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beacon, "SECONDS", 0.0)
    folder = bench.store.root / RUNNING
    reader = Reader(folder)
    trainings = [make_training("kd", "adaptive"), make_training("at")]
    run_trainings(trainings, bench, reader)
    found = [live for live in reader.read[-1] if live is not None]
    assert {live.id for live in found} == {training.id for training in trainings}
    (routed,) = (live for live in found if live.id == trainings[0].id)
    assert (routed.row, routed.epochs) == (trainings[0].group, 2)
    assert {"cross_entropy", "val_top1", "gate_rate/logits"} <= routed.record.keys()
    assert routed.left is not None
    assert not routed.stopped
    assert list(folder.iterdir()) == []


def test_a_training_that_fails_is_watched_no_longer(make_training: Make, bench: Bench) -> None:
    def build(_teacher: object) -> Objective:
        raise RuntimeError("it burns")

    broken = replace(make_training("sp"), build=build)
    records = run_trainings([broken, make_training("kd")], bench, Progress("toys", 2))
    assert [record.status for record in records] == [FAILED, DONE]
    assert list((bench.store.root / RUNNING).iterdir()) == []


def test_the_history_is_there_from_the_first_checkpoint_on(
    make_training: Make, bench: Bench
) -> None:
    training = make_training("kd")
    entry, seen = bench.entry(training), []

    class Looking(Progress):
        def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
            watch = Callback()
            watch.on_epoch = lambda _run: seen.append(len(entry.history()))  # type: ignore[method-assign]
            return (watch,)

    run_trainings([training], bench, Looking("toys", 1))
    assert seen == [0, 1]  # the recorder, which comes after, has written the epoch before
    assert [line["epoch"] for line in entry.history()] == [1.0, 2.0]


def test_a_process_that_is_gone_is_told_from_one_that_runs() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    live = Live("cell", "row", 1, 2)
    assert live.process == os.getpid()
    assert not live.stopped
    assert replace(live, process=gone.pid).stopped
    assert not replace(live, process=gone.pid, host="elsewhere").stopped


def test_the_next_run_deletes_what_killed_trainings_have_left(
    make_training: Make, bench: Bench
) -> None:
    folder = bench.store.root / RUNNING
    Live("killed", "row", 1, 2, process=2**22 + 1).write(folder / "killed.json")
    Live("runs", "row", 1, 2).write(folder / "runs.json")
    run_trainings([make_training("kd")], bench, Progress("toys", 1))
    assert [path.name for path in folder.iterdir()] == ["runs.json"]


@pytest.mark.parametrize(
    "content",
    [
        *("", '{"id": "cell"', '{"another": "version"}', "3", "[]", "[[1, 2]]", "[" * 50_000),
        *('{"id": 1, "row": "r", "epoch": 1, "epochs": 2}', '{"id": "a", "row": "b"}'),
        '{"id": "a", "row": "b", "epoch": 1, "epochs": 2, "record": {"loss": "low"}}',
        '{"id": "a", "row": "b", "epoch": 1, "epochs": 2, "written": 1e308}',
        '{"id": "a", "row": "b", "epoch": 1, "epochs": 2, "left": NaN}',
    ],
    ids=range(12),
)
def test_a_file_that_is_no_sign_of_life_is_passed_over(content: str, tmp_path: Path) -> None:
    assert read_live(tmp_path / "gone.json") is None
    (file := tmp_path / "cell.json").write_text(content)
    assert read_live(file) is None
