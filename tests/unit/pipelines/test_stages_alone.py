"""A stage that is run alone takes what was made with its parameters, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from safetensors.torch import save_file

from sakd.data import Parts, Splits
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import FAILED
from sakd.pipelines.evaluate.nodes import measure_students, measure_teacher
from sakd.pipelines.report.nodes import tabulate
from sakd.pipelines.students.nodes import train_row
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.store import CellStore, Record
from sakd.weights.saved import Weights

KD = "digits-resnet14-resnet8-kd-adaptive-s0"
BRIEF = {"epochs": 1, "keep_epochs": 0, "batch_size": 36}


def study(**changes: Any) -> Parameters:
    """The parameters of a study of a second; ``changes`` are made within their sections."""
    raw: dict[str, Any] = {
        "device": "cpu",
        "grid": {"pairs": "resnet14/resnet8", "distillers": "kd", "policies": "adaptive"},
        "teacher": BRIEF,
        "student": BRIEF,
        "routing": {"same_family_bias": 0},
    }
    for name, change in changes.items():
        raw[name] = {**raw.get(name, {}), **change} if isinstance(change, Mapping) else change
    return parse_parameters(raw)


@dataclass(frozen=True)
class Stages:
    """The outputs of the stages of a study, and the stages to run again on these outputs."""

    splits: Splits
    store: CellStore
    weights: Weights
    records: Mapping[str, Any]
    accuracy: Mapping[str, Any]
    evaluation: pd.DataFrame
    predictions: pd.DataFrame

    @classmethod
    def run(cls, splits: Splits, folder: Path, parameters: Parameters) -> Stages:
        made = cls(splits, CellStore(folder), Weights({}), {}, {}, *[pd.DataFrame()] * 2)
        (teacher,) = map(parameters.teacher_of, parameters.grid.teachers())
        weights = make_teacher(made.development, made.card, made.store, teacher, parameters)
        made = replace(made, weights=weights)
        made = replace(made, records=made.train(parameters))
        evaluation, _, predictions = made.measure_all(parameters)
        return replace(
            made,
            accuracy=made.measure_teacher(parameters),
            evaluation=evaluation,
            predictions=predictions,
        )

    @property
    def card(self) -> dict[str, Any]:
        return self.splits.card.to_json()

    @property
    def development(self) -> Parts:
        return {"train": self.splits.train.tensors, "val": self.splits.val.tensors}

    @property
    def images(self) -> tuple[Parts, Parts, dict[str, Any], CellStore]:
        return {"test": self.splits.test.tensors}, self.development, self.card, self.store

    def train(self, parameters: Parameters) -> dict[str, Any]:
        (row,) = parameters.grid.rows("digits")
        return train_row(self.development, self.card, self.store, row, parameters, self.weights)

    def measure_teacher(self, parameters: Parameters) -> dict[str, Any]:
        teacher = parameters.teacher_of("resnet14")
        return measure_teacher(*self.images, self.weights, teacher, parameters)

    def measure_all(self, parameters: Parameters) -> tuple[pd.DataFrame, ...]:
        return measure_students(*self.images, parameters, self.weights, self.records)

    def measure(self, parameters: Parameters) -> pd.DataFrame:
        return self.measure_all(parameters)[0]

    def report(self, parameters: Parameters) -> pd.DataFrame:
        made = self.evaluation, self.predictions
        return tabulate(parameters, self.card, *made, self.accuracy)


@pytest.fixture(scope="module")
def digits(splits: Splits) -> Splits:
    return replace(splits, card=replace(splits.card, name="digits"))


@pytest.fixture(scope="module")
def made(digits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return Stages.run(digits, tmp_path_factory.mktemp("cells"), study())


OF_NO_RESULT: list[dict[str, Any]] = [
    {"threads": 1},
    {"device": "auto"},
    {"graph": False},
    {"deterministic": True},
    {"report": {"margin": 2.0}},
]
OF_STUDENTS = [
    {"student": {"epochs": 2}},
    {"student_lr": {"resnet8": 0.01}},
    {"distillation": {"weights": {"kd": 0.5}}},
    {"distillation": {"options": {"kd": {"temperature": 2}}}},
    {"routing": {"gamma": 0.5}},
    {"data": {"student_per_class": 5}},
]
OF_TEACHERS: list[dict[str, Any]] = [{"teacher": {"epochs": 2}}, {"teacher_seed": 1}]


@pytest.mark.parametrize("change", OF_STUDENTS, ids=str)
def test_students_of_other_parameters_are_neither_measured_nor_reported(
    made: Stages, change: dict[str, Any]
) -> None:
    with pytest.raises(UserError, match=f"{KD}.*run --pipelines students"):
        made.measure(study(grid={"baseline": False}, **change))
    with pytest.raises(UserError, match=f"{KD}.*run --pipelines evaluate"):
        made.report(study(grid={"baseline": False}, **change))


@pytest.mark.parametrize("change", OF_TEACHERS, ids=str)
def test_a_teacher_of_other_parameters_is_not_used_at_all(
    made: Stages, change: dict[str, Any]
) -> None:
    for stage in (made.train, made.measure_teacher, made.measure):
        with pytest.raises(UserError, match=r"resnet14 .*run --pipelines teacher"):
            stage(study(**change))
    with pytest.raises(UserError, match="run --pipelines evaluate"):
        made.report(study(**change))


def test_where_a_copy_of_the_teacher_is_damaged_the_original_is_found(made: Stages) -> None:
    without = replace(made, weights=Weights({}))
    pd.testing.assert_frame_equal(without.measure(study()), made.evaluation)
    assert without.train(study()) == made.records
    assert without.measure_teacher(study()) == made.accuracy


@pytest.mark.usefixtures("usual_operations")
@pytest.mark.parametrize("change", OF_NO_RESULT, ids=str)
def test_what_changes_no_result_refuses_none(made: Stages, change: dict[str, Any]) -> None:
    pd.testing.assert_frame_equal(made.measure(study(**change)), made.evaluation)
    assert len(made.report(study(**change))) == len(made.evaluation)


class TestPreparedImages:
    """They are taken only if they are those that the parameters ask for."""

    @staticmethod
    def refused(stages: Stages, complaint: str, parameters: Parameters | None = None) -> None:
        teacher = study().teacher_of("resnet14")
        given = parameters or study()
        for stage in (
            stages.train,
            stages.measure_teacher,
            stages.measure,
            lambda asked: make_teacher(*stages.images[1:], teacher, asked),
        ):
            with pytest.raises(UserError, match=f"{complaint}.*run --pipelines data_preparation"):
                stage(given)

    @pytest.mark.parametrize("change", [{"val_fraction": 0.2}, {"train_size": 30}], ids=str)
    def test_those_of_other_parameters_are_not_used(
        self, made: Stages, change: dict[str, Any]
    ) -> None:
        self.refused(made, "digits was prepared .* other parameters", study(data=change))

    def test_those_of_an_earlier_version_are_not_used(self, made: Stages) -> None:
        older = replace(made.splits.card, asked="", parts={})
        splits = replace(made.splits, card=older)
        self.refused(replace(made, splits=splits), "digits was prepared by an earlier version")

    @pytest.mark.parametrize("split", ["train", "val"])
    def test_those_that_a_run_left_without_their_card_are_not_used(
        self, made: Stages, split: str
    ) -> None:
        """As after a kill between the images of a new preparation and its card."""
        moved = replace(made.splits, **{split: made.splits.test})
        self.refused(replace(made, splits=moved), f"the {split} images of digits are not those")

    def test_test_images_of_another_split_are_not_measured(self, made: Stages) -> None:
        moved = replace(made, splits=replace(made.splits, test=made.splits.train))
        for stage in (moved.measure, moved.measure_teacher):
            with pytest.raises(UserError, match="the test images of digits are not those"):
                stage(study())


def test_nothing_of_other_data_is_used(made: Stages) -> None:
    card = replace(made.splits.card, sha256="0" * 64)
    other = replace(made, splits=replace(made.splits, card=card))
    for stage in (other.train, other.measure_teacher, other.measure):
        with pytest.raises(UserError, match=r"resnet14 .*run --pipelines teacher"):
            stage(study())
    with pytest.raises(UserError, match="run --pipelines evaluate"):
        other.report(study())


class TestATeacherFromAFile:
    @pytest.fixture
    def file(self, made: Stages, tmp_path: Path) -> Path:
        save_file(dict(made.weights.state), tmp_path / "own.safetensors")
        return tmp_path / "own.safetensors"

    def test_it_is_read_again_where_another_teacher_of_its_name_was_made(
        self, made: Stages, file: Path
    ) -> None:
        parameters = study(teacher_weights={"resnet14": str(file)}, grid={"baseline": False})
        assert made.train(parameters)[KD]["key"] == made.records[KD]["key"]
        state = {name: 1 + tensor for name, tensor in made.weights.state.items()}
        save_file(state, file)
        assert made.train(parameters)[KD]["key"] != made.records[KD]["key"]


def test_a_report_is_of_the_cells_of_the_grid_in_its_order_with_their_keys(made: Stages) -> None:
    evaluation = made.evaluation.iloc[::-1]
    results = replace(made, evaluation=evaluation).report(study())
    assert list(results["distiller"]) == ["none", "kd"]
    assert list(results["key"]) == [record["key"] for record in made.records.values()]
    assert list(results["teacher_test_top1"]) == [made.accuracy["test_top1"]] * 2
    assert list(results["teacher_test_balanced"]) == [made.accuracy["test_balanced"]] * 2
    for line in results.to_dict("records"):
        entry = made.store.entry("digits-resnet14-resnet8-s0", line["cell"], line["key"])
        assert entry.finished(line["key"]) is not None


def test_every_accuracy_is_the_share_of_its_right_images(made: Stages) -> None:
    found = made.predictions.groupby("cell", observed=True)
    lines = made.evaluation.set_index("cell")
    columns = {"right": "test_top1", "right_val_selected": "test_top1_val_selected"}
    for column, measure in (columns | {"right_best": "test_top1_best"}).items():
        shares = found[column].mean()
        assert {cell: shares[cell] for cell in lines.index} == pytest.approx(dict(lines[measure]))
    teacher = found["right"].mean()["digits-resnet14-teacher"]
    assert teacher == pytest.approx(made.accuracy["test_top1"])
    assert (found.size() == len(made.splits.test)).all()


def test_a_cell_without_predictions_is_named(made: Stages) -> None:
    lost = made.predictions[made.predictions["cell"] != KD]
    with pytest.raises(UserError, match=f"{KD} has no predictions: run --pipelines evaluate"):
        replace(made, predictions=lost).report(study())


def test_a_part_of_the_grid_may_be_measured_and_reported(made: Stages) -> None:
    parameters = study(grid={"baseline": False})
    assert list(made.measure(parameters)["cell"]) == [KD]
    assert list(made.report(parameters)["cell"]) == [KD]


def test_a_cell_that_is_missing_is_named(made: Stages) -> None:
    parameters = study(grid={"policies": "always+adaptive"})
    with pytest.raises(UserError, match=r"kd-always-s0 was not trained.* run --pipelines students"):
        made.measure(parameters)
    with pytest.raises(UserError, match="kd-always-s0 was not evaluated: run --pipelines evaluate"):
        made.report(parameters)


@pytest.mark.parametrize("name", ["last.safetensors", "best.json", "history.csv"])
def test_a_cell_with_a_damaged_file_is_neither_measured_nor_its_history_shown(
    made: Stages, tmp_path: Path, name: str
) -> None:
    store = CellStore(Path(shutil.copytree(made.store.root, tmp_path / "cells")))
    key = made.records[KD]["key"]
    path = store.entry("digits-resnet14-resnet8-s0", KD, key).folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    with pytest.raises(UserError, match=f"{KD} was not trained .*run --pipelines students"):
        replace(made, store=store).measure(study())


@pytest.mark.parametrize("lost", ["settings", "test_balanced"])
def test_a_teacher_that_an_earlier_version_evaluated_is_refused(made: Stages, lost: str) -> None:
    older = {name: value for name, value in made.accuracy.items() if name != lost}
    with pytest.raises(UserError, match=r"resnet14 .*--pipelines evaluate"):
        replace(made, accuracy=older).report(study())


def test_cells_that_an_earlier_version_evaluated_are_refused(made: Stages) -> None:
    older = made.evaluation.drop(columns="settings")
    with pytest.raises(UserError, match=r"-none-none-s0 .*--pipelines evaluate"):
        replace(made, evaluation=older).report(study())


def other_copies(made: Stages) -> Stages:
    """Have another run make a teacher of that name, and train cells of that row."""
    state = {name: 1 + tensor for name, tensor in made.weights.state.items()}
    theirs = {cell: {**record, "key": "0" * 64} for cell, record in made.records.items()}
    return replace(made, weights=Weights(state, {"key": "0" * 64}), records=theirs)


def test_a_stage_finds_its_own_teacher_and_cells_after_another_run(made: Stages) -> None:
    other = other_copies(made)
    assert {cell: record["key"] for cell, record in other.train(study()).items()} == {
        cell: record["key"] for cell, record in made.records.items()
    }
    pd.testing.assert_frame_equal(other.measure(study()), made.evaluation)
    assert other.measure_teacher(study()) == made.accuracy


def test_tensors_under_the_card_of_another_teacher_are_not_used(made: Stages) -> None:
    """As after a kill between the tensors and the card of a teacher."""
    mixed = Weights(other_copies(made).weights.state, made.weights.card)
    assert replace(made, weights=mixed).measure_teacher(study()) == made.accuracy


def test_a_failed_cell_is_measured_as_failed(made: Stages, tmp_path: Path) -> None:
    shutil.copytree(made.store.root, tmp_path / "cells")
    failing = replace(made, store=CellStore(tmp_path / "cells"))
    record = Record(**made.records[KD])
    entry = failing.store.entry("digits-resnet14-resnet8-s0", KD, record.key)
    entry.finish(replace(record, status=FAILED, error="no room"), [])
    line = failing.measure(study()).set_index("cell").loc[KD]
    assert (line["status"], line["error"]) == ("failed", "no room")


def test_results_say_where_and_when_a_cell_was_trained(made: Stages) -> None:
    results = made.report(study())
    (line,) = (line for line in results.to_dict("records") if line["cell"] == KD)
    record, weights = Path(line["record"]), Path(line["weights"])
    assert record.parent.name == weights.parent.name == line["key"][:12]
    assert record.is_file()
    assert weights.is_file()
    assert line["ended"] == made.records[KD]["ended"]
    assert line["revision"] == made.records[KD]["provenance"]["git_revision"]
    assert line["teacher_ended"] < line["ended"]


def test_paths_are_relative_to_the_project_that_has_the_cells(made: Stages, tmp_path: Path) -> None:
    project = tmp_path / "project"
    settings = '[tool.kedro]\npackage_name = "p"\nproject_name = "p"\nkedro_init_version = "1"\n'
    shutil.copytree(made.store.root, project / "cells")
    (project / "pyproject.toml").write_text(settings)
    moved = replace(made, store=CellStore(project / "cells"))
    line = moved.measure(study()).set_index("cell").loc[KD]
    assert line["record"].startswith("cells/digits-resnet14-resnet8-s0/")
    assert (project / line["weights"]).is_file()
