"""The status of a study: what is done, what runs, what failed, what is missing."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from sakd.data import Splits
from sakd.foundation.determinism import expect_deterministic
from sakd.foundation.sealing import write_sealed
from sakd.foundation.vocabulary import FAILED
from sakd.pipelines.plan import Scope
from sakd.pipelines.status import find_status
from sakd.pipelines.students.nodes import train_row
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.study.beacon import live_path
from sakd.study.live import Live
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.status import Part, State, Status
from sakd.study.store import CellStore, Entry, Record

ROW = "digits-resnet14-resnet8-s0"
ALONE, ALWAYS, ADAPTIVE = (
    f"digits-resnet14-resnet8-{method}-s0" for method in ("none-none", "kd-always", "kd-adaptive")
)


def study(seeds: str = "0", **more: object) -> Parameters:
    """The parameters of a study of 3 cells for each seed."""
    brief = {"epochs": 1, "keep_epochs": 0, "batch_size": 36}
    grid = {"pairs": "resnet14/resnet8", "policies": "always+adaptive", "seeds": seeds}
    plain = {"device": "cpu", "grid": grid, "teacher": brief, "student": brief}
    return parse_parameters({**plain, **more})


class Study:
    """A study in a folder, whose first row has been trained."""

    def __init__(self, splits: Splits, folder: Path) -> None:
        self.card = replace(splits.card, name="digits").to_json()
        self.development: Any = {"train": splits.train.tensors, "val": splits.val.tensors}
        self.store = CellStore(folder)

    def train(self) -> Study:
        parameters = study()
        given, teacher = (self.development, self.card), parameters.teacher_of("resnet14")
        weights = make_teacher(*given, self.store, teacher, parameters)
        (row,) = parameters.grid.rows("digits")
        train_row(*given, self.store, row, parameters, weights)
        return self

    def status(self, seeds: str = "0", **more: object) -> Status:
        parameters = study(seeds, **more)
        rows, teachers = parameters.grid.rows("digits"), parameters.grid.teachers()
        scope = Scope(self.development, self.card, parameters, rows, teachers)
        return find_status("digits", [scope], self.store)

    def entry(self, cell: str) -> tuple[Entry, Record]:
        (folder,) = (self.store.root / ROW / cell).glob("*/")
        entry = Entry(folder)
        record = entry.record()
        assert record is not None
        return entry, record

    def fail(self, cell: str, error: str) -> Record:
        entry, record = self.entry(cell)
        return entry.finish(replace(record, status=FAILED, error=error), [])


@pytest.fixture
def made(splits: Splits, tmp_path: Path) -> Study:
    return Study(splits, tmp_path / "cells").train()


def counts(status: Status) -> list[int]:
    found = status.to_json()
    return [found[name] for name in ("rows", "cells", "done", "running", "failed", "missing")]


def test_nothing_is_done_of_a_study_that_has_not_begun(splits: Splits, tmp_path: Path) -> None:
    status = Study(splits, tmp_path / "cells").status()
    assert counts(status) == [1, 3, 0, 0, 0, 3]
    assert status.seconds is None
    assert "3 cells: 0 done, 0 running, 0 failed, 3 missing; unknown left" in status.text()


def test_what_is_done_counts_and_tells_the_time_of_what_is_missing(made: Study) -> None:
    assert counts(made.status()) == [1, 3, 3, 0, 0, 0]
    assert made.status().seconds == 0
    grown = made.status("0+1")
    assert counts(grown) == [2, 6, 3, 0, 0, 3]
    assert grown.seconds is not None
    assert grown.seconds > 0


def test_a_failed_cell_is_shown_with_its_error(made: Study) -> None:
    made.fail(ALWAYS, "no room")
    status = made.status()
    assert counts(status) == [1, 3, 2, 0, 1, 0]
    assert f"{ALWAYS} failed: no room" in status.text()
    assert status.to_json()["trainings"]["failed"] == [{"id": ALWAYS, "error": "no room"}]


def test_what_runs_is_shown_with_its_place_and_since_when(made: Study) -> None:
    record = made.fail(ADAPTIVE, "no room")
    path = live_path(made.store.root, ADAPTIVE, record.key)
    live = Live(ADAPTIVE, ROW, 3, 12, host="elsewhere", process=7, since=time.time())
    live.write(path)
    status = made.status()
    assert counts(status) == [1, 3, 2, 1, 0, 0]
    assert f"{ADAPTIVE} runs on elsewhere, process 7 since 2" in status.text()
    assert "epoch 3 of 12" in status.text()
    (running,) = status.to_json()["trainings"]["running"]
    assert (running["host"], running["epochs"]) == ("elsewhere", 12)


def test_what_a_killed_run_has_left_does_not_run(made: Study) -> None:
    record = made.fail(ADAPTIVE, "no room")
    gone = os.fork()
    if not gone:
        os._exit(0)
    os.waitpid(gone, 0)
    Live(ADAPTIVE, ROW, 3, 12, process=gone).write(live_path(made.store.root, ADAPTIVE, record.key))
    assert counts(made.status()) == [1, 3, 2, 0, 1, 0]


def test_a_damaged_record_is_missing_and_said_to_be_damaged(made: Study) -> None:
    made.entry(ALONE)[0].outcome.write_text("{")
    status = made.status()
    assert counts(status) == [1, 3, 2, 0, 0, 1]
    assert f"{ALONE}: " in status.text()
    assert "damaged" in status.text()


@pytest.mark.usefixtures("usual_operations")
def test_what_is_done_is_done_for_a_deterministic_run_too_unless_a_gpu_has_done_it(
    made: Study,
) -> None:
    expect_deterministic()
    assert counts(made.status(deterministic=True)) == [1, 3, 3, 0, 0, 0]
    entry, record = made.entry(ALONE)
    on_gpu = replace(record, provenance={**record.provenance, "device": "cuda (a GPU)"})
    write_sealed(entry.outcome, asdict(on_gpu))
    status = made.status(deterministic=True)
    assert counts(status) == [1, 3, 2, 0, 0, 1]
    assert f"{ALONE}: it was trained on a GPU without deterministic: true" in status.text()


def test_trainings_side_by_side_count_once_for_the_time_that_is_left() -> None:
    done = [State(str(n), "done", span=span) for n, span in enumerate([(0, 10), (1, 10), (20, 30)])]
    running = State("r", "running", live=Live("r", "row", 3, 4))
    part = Part("pair", 2, [*done, running, State("m", "missing")])
    assert part.seconds == pytest.approx((1 + 0.25) * 20 / 3)


def test_while_none_is_done_the_time_left_is_by_those_that_run() -> None:
    running = [
        State(str(n), "running", live=Live(str(n), "row", 25, 100, left=left))
        for n, left in enumerate((300.0, 150.0, None))
    ]
    assert Part("pair", 1, running[:2]).seconds == pytest.approx(300)
    missing = [State("m", "missing"), State("n", "missing")]
    assert Part("pair", 2, [*running[:2], *missing]).seconds == pytest.approx(300 + 400)
    assert Part("pair", 1, [running[2], *missing]).seconds is None


def test_it_is_json(made: Study) -> None:
    assert json.loads(json.dumps(made.status().to_json()))["data"] == "digits"
