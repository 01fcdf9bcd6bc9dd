"""Systems that need no teacher go through all stages without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from sakd.data import Parts, Splits
from sakd.foundation.vocabulary import DONE
from sakd.pipelines import evaluate, report, students, teacher
from sakd.pipelines.evaluate.nodes import measure_students
from sakd.pipelines.plan import Scope, make_plan
from sakd.pipelines.report.nodes import tabulate
from sakd.pipelines.students.nodes import train_row
from sakd.project.stages import Stages
from sakd.reporting import report as write_report
from sakd.reporting import summary
from sakd.study.pace import Pace, Timer
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.store import CellStore

BRIEF = {"epochs": 2, "keep_epochs": 0, "batch_size": 36}


@pytest.fixture
def parameters() -> Parameters:
    grid = {"pairs": "resnet14/resnet8", "systems": "label_smoothing", "distillers": []}
    return parse_parameters({"device": "cpu", "student": BRIEF, "grid": grid})


def test_they_are_planned_trained_measured_and_reported(
    parameters: Parameters, splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Timer, "pace", lambda *_: Pace(1.0))
    card, store = replace(splits.card, name="digits").to_json(), CellStore(tmp_path)
    development: Parts = {"train": splits.train.tensors, "val": splits.val.tensors}
    (row,) = parameters.grid.rows("digits")
    scope = Scope(development, card, parameters, [row], parameters.grid.teachers())
    plan = make_plan([scope], store, 0)
    assert plan.teachers == ()
    assert [(line.name, line.total) for line in plan.pairs] == [("resnet14/resnet8", 2)]
    records = train_row(development, card, store, row, parameters)
    assert [record["status"] for record in records.values()] == [DONE] * 2
    images = {"test": splits.test.tensors}, development, card, store
    evaluation, history, predictions = measure_students(*images, parameters, records)
    results = tabulate(parameters, card, evaluation, predictions)
    assert results["distiller"].tolist() == ["none", "label_smoothing"]
    assert results["test_top1"].notna().all()
    assert results["test_kl"].isna().all()
    assert results["teacher_test_top1"].isna().all()
    assert summary(results, predictions)
    assert write_report(pd.DataFrame(results), history, predictions=predictions).sections


def test_no_node_and_no_stage_is_about_a_teacher(parameters: Parameters) -> None:
    assert not teacher.create_pipeline(parameters).nodes
    for stage in (students, evaluate, report):
        names = stage.create_pipeline(parameters).datasets()
        assert not [name for name in names if "teacher" in name]
    stages = Stages(parameters).every()
    assert list(stages) == ["data_preparation", "students_untaught", "evaluate", "report"]
    assert not [dep for dep in stages["students_untaught"]["do"]["deps"] if "teachers" in dep]
