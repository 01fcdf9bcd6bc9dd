"""A stage that is run by itself takes what the one before it left of this grid and these data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pandas as pd
import pytest

from sakd.data import Splits
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import FAILED
from sakd.pipelines.evaluate.nodes import measure_students, measure_teacher
from sakd.pipelines.report.nodes import tabulate
from sakd.pipelines.students.nodes import train_row
from sakd.study.parameters import Parameters, parse_parameters
from sakd.study.store import CellStore, Record
from sakd.weights.saved import Weights

Measure = Callable[..., pd.DataFrame]
KD = "digits-resnet14-resnet8-kd-always-s0"


def study(distillers: str) -> Parameters:
    axes = {"pairs": "resnet14/resnet8", "policies": "always", "distillers": distillers}
    return parse_parameters({"device": "cpu", "grid": axes})


@pytest.fixture
def card(splits: Splits) -> dict[str, Any]:
    return replace(splits.card, name="digits").to_json()


@pytest.fixture
def measure(splits: Splits, card: dict[str, Any], tmp_path: Any) -> Measure:
    """The accuracies of a grid whose cells were all trained on the data called ``sha256``."""

    def evaluate(grid: str, *, trained: str, sha256: str | None = None) -> pd.DataFrame:
        facts = {"data": sha256 or card["sha256"]}
        cells = study(trained).grid.cells("digits")
        records = {c.id: asdict(Record(c.id, "k", FAILED, facts, error="x")) for c in cells}
        test = {"test": splits.test.tensors}
        return measure_students(test, card, CellStore(tmp_path), study(grid), records)[0]

    return evaluate


def test_the_cells_of_the_grid_are_measured_and_no_other(measure: Measure) -> None:
    lines = measure("kd", trained="at+kd+sp")
    assert list(lines["distiller"]) == ["none", "kd"]


def test_a_cell_that_was_not_trained_is_not_left_out_in_silence(measure: Measure) -> None:
    with pytest.raises(UserError, match="-at-always-s0 was not trained: run --pipelines students"):
        measure("kd+at", trained="kd")


def test_a_cell_that_was_trained_on_other_data_is_not_measured(measure: Measure) -> None:
    with pytest.raises(UserError, match="trained on other data: run --pipelines students"):
        measure("kd", trained="kd", sha256="0" * 64)


def test_a_report_is_of_the_cells_of_the_grid_in_its_order(measure: Measure) -> None:
    lines = measure("at+sp+kd", trained="at+kd+sp").assign(test_top1=0.5)
    accuracy = {"teacher": "resnet14", "test_top1": 0.9, "test_balanced": 0.8}
    results, _ = tabulate(study("kd+at"), lines, accuracy)
    assert list(results["distiller"]) == ["none", "kd", "at"]
    assert list(results["teacher_test_top1"]) == [0.9] * 3
    assert list(results["teacher_test_balanced"]) == [0.8] * 3
    assert list(results.columns[:-2]) == list(lines.columns)


def test_a_teacher_that_an_earlier_version_evaluated_is_refused(measure: Measure) -> None:
    accuracy = {"teacher": "resnet14", "test_top1": 0.9}
    with pytest.raises(UserError, match=r"resnet14 .*test_balanced.*--pipelines evaluate"):
        tabulate(study("kd"), measure("kd", trained="kd"), accuracy)


def test_a_report_without_a_cell_of_the_grid_is_refused(measure: Measure) -> None:
    with pytest.raises(UserError, match=f"{KD} was not evaluated: run --pipelines evaluate"):
        tabulate(study("at+kd"), measure("at", trained="at"))


def test_a_teacher_of_other_data_neither_teaches_nor_is_measured(
    splits: Splits, card: dict[str, Any], teacher: Weights, tmp_path: Any
) -> None:
    other = Weights(teacher.state, {"data": {**card, "sha256": "0" * 64}})
    cells, parameters = CellStore(tmp_path), study("kd")
    with pytest.raises(UserError, match="resnet14 was trained on other data"):
        measure_teacher({"test": splits.test.tensors}, card, cells, other, "resnet14", parameters)
    (row,) = parameters.grid.rows("digits")
    with pytest.raises(UserError, match="resnet14 was trained on other data"):
        train_row({}, card, other, cells, row, parameters)
