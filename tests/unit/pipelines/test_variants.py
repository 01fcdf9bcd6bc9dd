"""Variants of a teacher go through all stages as teachers of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sakd.data import Parts, Splits
from sakd.pipelines import data_preparation, evaluate, report, students, teacher
from sakd.pipelines.evaluate.nodes import measure_students, measure_teacher
from sakd.pipelines.plan import Scope, make_plan
from sakd.pipelines.report.nodes import tabulate
from sakd.pipelines.students.nodes import train_row
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.project.dvc import dvc_yaml
from sakd.project.stages import Stages
from sakd.study.pace import Pace, Timer
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.store import CellStore

BRIEF = {"epochs": 2, "keep_epochs": 0, "batch_size": 36}
PAIRS = ("resnet14/resnet8", "resnet14@noisy/resnet8")


@pytest.fixture
def parameters() -> Parameters:
    grid = {"pairs": "+".join(PAIRS), "distillers": "simkd", "policies": "always"}
    variants = {"noisy": {"epochs": 1, "label_noise": 0.5}}
    raw = {"grid": grid, "teacher": BRIEF, "student": BRIEF, "teacher_variants": variants}
    return parse_parameters({"device": "cpu", **raw})


def test_they_teach_are_measured_and_reported_and_the_student_alone_is_trained_once(
    parameters: Parameters, splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Timer, "pace", lambda *_: Pace(1.0))
    card, store = replace(splits.card, name="digits").to_json(), CellStore(tmp_path)
    development: Parts = {"train": splits.train.tensors, "val": splits.val.tensors}
    test: Parts = {"test": splits.test.tensors}
    rows, teachers = parameters.grid.rows("digits"), parameters.grid.teachers()
    scope = Scope(development, card, parameters, rows, teachers)
    lines = [(line.name, line.total) for line in make_plan([scope], store, 0).pairs]
    assert lines == [(PAIRS[0], 2), (PAIRS[1], 1)]
    made = [
        make_teacher(development, card, store, parameters.teacher_of(name), parameters)
        for name in teachers
    ]
    assert [weights.card["network"] for weights in made] == ["resnet14", "resnet14"]
    records = [
        train_row(development, card, store, row, parameters, weights)
        for row, weights in zip(rows, made, strict=True)
    ]
    assert [*records[1]] == [cell.id for cell in rows[1].cells]
    assert len(list(tmp_path.rglob("*none-none*/*/record.json"))) == 1
    images = test, development, card, store
    measured = [
        measure_teacher(*images, weights, parameters.teacher_of(name), parameters)
        for name, weights in zip(teachers, made, strict=True)
    ]
    evaluation, history, predictions = measure_students(*images, parameters, *made, *records)
    assert set(history["cell"]) == set(evaluation["cell"])
    results = tabulate(parameters, card, evaluation, predictions, *measured)
    assert results["teacher"].tolist() == ["resnet14"] * 2 + ["resnet14@noisy"] * 2
    alone = results[results["distiller"] == "none"]
    assert alone["record"].nunique() == alone["test_top1"].nunique() == 1
    assert alone["test_kl"].nunique() == 2
    assert results["teacher_test_nll"].nunique() == 2
    assert set(results["network"]) == {"resnet8", "resnet8@resnet14"}


def test_no_name_of_a_node_a_dataset_or_a_stage_has_their_sign(parameters: Parameters) -> None:
    for stage in (data_preparation, teacher, students, evaluate, report):
        pipeline = stage.create_pipeline(parameters)
        names = pipeline.datasets() | {node.name for node in pipeline.nodes}
        assert not [name for name in names if "@" in name]
    text = dvc_yaml(Stages(parameters))
    assert "digits-resnet14_noisy-resnet8-s0:" in text
    assert "teachers/resnet14_noisy.safetensors" in text
    assert "teacher_variants" in text
    assert "@" not in text
