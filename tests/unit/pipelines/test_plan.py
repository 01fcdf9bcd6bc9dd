"""A plan counts what a run would skip and what it would train, and leaves everything as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sakd.data import Parts, Splits
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import FAILED
from sakd.pipelines.images import lessons
from sakd.pipelines.keys import own_training
from sakd.pipelines.plan import Scope, _waiting, make_plan
from sakd.pipelines.students.nodes import train_row
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.study.bench import Bench
from sakd.study.pace import Pace, Timer
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.plan import Line, Plan
from sakd.study.splits import splits_of
from sakd.study.store import CellStore
from sakd.study.trainings import Training
from sakd.weights.saved import Weights

BRIEF = {"epochs": 1, "keep_epochs": 0, "batch_size": 36}
KD = "digits-resnet14-resnet8-kd-adaptive-s0"


def study(**changes: Any) -> Parameters:
    """The parameters of a study of 2 seeds of 3 cells; ``changes`` are made in its sections."""
    grid = {"pairs": "resnet14/resnet8", "policies": "always+adaptive", "seeds": "0+1"}
    raw: dict[str, Any] = {"device": "cpu", "grid": grid, "teacher": BRIEF, "student": BRIEF}
    for name, change in changes.items():
        raw[name] = {**raw.get(name, {}), **change} if isinstance(change, Mapping) else change
    return parse_parameters(raw)


@pytest.fixture(scope="module")
def digits(splits: Splits) -> Splits:
    return replace(splits, card=replace(splits.card, name="digits"))


class Study:
    """A study in a folder: its stages, and the plan of all of it."""

    def __init__(self, splits: Splits, folder: Path) -> None:
        self.card = splits.card.to_json()
        self.development: Parts = {"train": splits.train.tensors, "val": splits.val.tensors}
        self.folder = folder
        self.store = CellStore(folder)

    def teach(self, parameters: Parameters) -> Weights:
        teacher = parameters.teacher_of("resnet14")
        return make_teacher(self.development, self.card, self.store, teacher, parameters)

    def train(self, parameters: Parameters, seed: int) -> None:
        row = parameters.grid.rows("digits")[seed]
        given = self.development, self.card, self.store
        train_row(*given, row, parameters, self.teach(parameters))

    def plan(self, parameters: Parameters, limit: float = 0, **scope: Any) -> Plan:
        rows = parameters.grid.rows("digits")
        named = {"rows": rows, "teachers": parameters.grid.teachers(), **scope}
        chosen = Scope(self.development, self.card, parameters, **named)
        return make_plan([chosen], self.store, limit)

    def files(self) -> dict[Path, bytes]:
        return {p: p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}


@pytest.fixture
def made(digits: Splits, tmp_path: Path) -> Study:
    return Study(digits, tmp_path / "cells")


def counted(*lines: Line) -> list[tuple[str, int, int]]:
    return [(line.name, line.total, line.done) for line in lines]


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let a step of every training take a second; give what was timed."""
    names: list[str] = []

    def pace(_timer: Timer, training: Training, _patience: float) -> Pace:
        names.append(training.id)
        return Pace(1.0)

    monkeypatch.setattr(Timer, "pace", pace)
    return names


def test_nothing_is_done_before_a_run_and_all_after_it(made: Study, timed: list[str]) -> None:
    parameters = study()
    plan = made.plan(parameters)
    assert counted(*plan.teachers, *plan.pairs) == [
        ("teacher resnet14", 1, 0),
        ("resnet14/resnet8", 6, 0),
    ]
    assert (plan.teachers[0].seconds, plan.pairs[0].seconds) == (1.0, 6.0)
    for seed in (0, 1):
        made.train(parameters, seed)
    timed.clear()
    plan = made.plan(parameters)
    assert plan.summary() == "6 cells: all done"
    assert timed == []


def test_splits_of_one_study_are_counted_together_and_timed_once(
    made: Study, timed: list[str]
) -> None:
    parameters = study(grid={"seeds": "0+1"})
    data = replace(parameters.data, test_fraction=0.2, splits="per_seed")
    splits = splits_of(replace(parameters, data=data))
    names = [split.parameters.grid.teachers() for split in splits]
    rows = [split.parameters.grid.rows("digits") for split in splits]
    each = [{"sha256": split.data, "asked": split.parameters.data.asked} for split in splits]
    cards = [{**made.card, **known} for known in each]
    scopes = [
        Scope(made.development, card, split.parameters, mine, teachers)
        for card, split, mine, teachers in zip(cards, splits, rows, names, strict=True)
    ]
    plan = make_plan(scopes, made.store, math.inf)
    assert counted(*plan.teachers, *plan.pairs) == [
        ("teacher resnet14", 2, 0),
        ("resnet14/resnet8", 6, 0),
    ]
    assert (plan.teachers[0].seconds, plan.pairs[0].seconds) == (2.0, 6.0)
    assert len(timed) == 4


@pytest.mark.usefixtures("timed")
def test_a_part_that_is_done_is_counted(made: Study) -> None:
    made.train(study(), seed=1)
    plan = made.plan(study())
    assert counted(*plan.teachers, *plan.pairs) == [
        ("teacher resnet14", 1, 1),
        ("resnet14/resnet8", 6, 3),
    ]
    assert plan.seconds == 3.0
    grown = made.plan(study(grid={"distillers": "kd+at", "seeds": "1"}))
    assert counted(*grown.pairs) == [("resnet14/resnet8", 5, 3)]


@pytest.mark.parametrize(
    ("change", "teachers", "cells"),
    [
        ({"student": {"epochs": 2}}, 1, 0),
        ({"routing": {"gamma": 0.5}}, 1, 2),
        ({"teacher_seed": 1}, 0, 1),
        ({"device": "auto", "pack": 1}, 1, 3),
    ],
    ids=str,
)
@pytest.mark.usefixtures("timed")
def test_other_parameters_leave_done_what_does_not_depend_on_them(
    made: Study, change: dict[str, Any], teachers: int, cells: int
) -> None:
    made.train(study(), seed=0)
    plan = made.plan(study(**change))
    assert [line.done for line in (*plan.teachers, *plan.pairs)] == [teachers, cells]


@pytest.mark.usefixtures("timed")
def test_a_cell_that_failed_or_lost_a_file_is_to_do(made: Study) -> None:
    made.train(study(), seed=0)
    (folder,) = (made.folder / "digits-resnet14-resnet8-s0" / KD).glob("*/")
    entry = made.store.entry(folder.parts[-3], KD, folder.name)
    record = entry.record()
    assert record is not None
    (folder / "history.csv").rename(folder / "history")
    assert made.plan(study()).pairs[0].done == 2
    (folder / "history").rename(folder / "history.csv")
    assert made.plan(study()).pairs[0].done == 3
    entry.finish(replace(record, status=FAILED), [])
    assert made.plan(study()).pairs[0].done == 2


@pytest.mark.usefixtures("timed")
def test_a_cell_that_goes_on_counts_with_the_epochs_that_are_left(made: Study) -> None:
    parameters = study(teacher={"epochs": 3}, grid={"baseline": False})
    images = lessons(made.development, made.card, parameters.data)
    training = own_training(parameters.teacher_of("resnet14"), images)
    entry = made.store.entry(training.group, training.id, training.key)
    for key, left in (("another", 3.0), (training.key, 1.0)):
        entry.checkpoints.write({"key": key, "history": [{"epoch": 1.0}, {"epoch": 2.0}]})
        assert made.plan(parameters, rows=()).seconds == left


@pytest.mark.usefixtures("timed")
def test_the_plan_is_that_of_the_part_that_runs(made: Study) -> None:
    parameters = study()
    rows = parameters.grid.rows("digits")
    plan = made.plan(parameters, rows=rows[:1], teachers=())
    assert counted(*plan.teachers, *plan.pairs) == [("resnet14/resnet8", 3, 0)]
    plan = made.plan(parameters, rows=())
    assert counted(*plan.teachers, *plan.pairs) == [("teacher resnet14", 1, 0)]


@pytest.mark.usefixtures("timed")
def test_cells_are_done_under_the_teacher_that_was_made_before(made: Study) -> None:
    made.train(study(), seed=0)
    weights = made.teach(study())
    for entry in (made.folder / "teachers").rglob("record.json"):
        entry.unlink()
    assert made.plan(study()).pairs[0].done == 1  # the student alone
    assert made.plan(study(), teachers=(), made={"resnet14": weights}).pairs[0].done == 3


def test_real_steps_are_timed_and_neither_files_nor_random_numbers_change(made: Study) -> None:
    made.train(study(), seed=0)
    state = torch.get_rng_state()
    (folder,) = (made.folder / "digits-resnet14-resnet8-s0" / KD).glob("*/")
    with made.store.entry(folder.parts[-3], KD, folder.name).claimed():
        held = made.files()
        plan = made.plan(study(grid={"distillers": "kd+at+ft"}), limit=math.inf)
        assert made.files() == held
    assert torch.equal(torch.get_rng_state(), state)
    assert plan.pairs[0].seconds > 0
    assert plan.failures == {}


def test_a_method_that_does_not_fit_is_named_and_the_others_are_planned(made: Study) -> None:
    grid = {"pairs": "resnet8x4/resnet8", "distillers": "kd+fsp", "policies": "always"}
    parameters = study(grid={**grid, "seeds": "0"})
    plan = made.plan(parameters, limit=math.inf)
    assert counted(*plan.pairs) == [("resnet8x4/resnet8", 3, 0)]
    assert list(plan.failures) == ["digits-resnet8x4-resnet8-fsp-always-s0"]
    assert plan.seconds > 0


def test_what_would_stop_the_run_is_one_error(made: Study) -> None:
    (folder,) = [made.folder / "teachers" / "digits-resnet14-teacher-s0"]
    made.teach(study())
    for record in folder.rglob("record.json"):
        record.write_text("{}")
    with pytest.raises(UserError, match="another version"):
        made.plan(study())


def test_a_training_that_is_still_pretrained_has_all_its_epochs_left(
    make_training: Callable[..., Training], bench: Bench
) -> None:
    training = make_training("ft")
    state = {"key": training.key, "seconds": 1.0, "pretraining": "ft", "run": {}, "objective": {}}
    bench.entry(training).checkpoints.write(state)
    (waiting,) = _waiting([training], bench)
    assert waiting.epochs == training.recipe.epochs
