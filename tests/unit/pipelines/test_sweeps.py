"""A study with excludes, settings of single cells and a sweep, from training to the results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sakd.data import Parts, Splits
from sakd.pipelines.evaluate.nodes import measure_students, measure_teacher
from sakd.pipelines.images import lessons
from sakd.pipelines.keys import settings_of_cells, taught_trainings
from sakd.pipelines.plan import Scope
from sakd.pipelines.report.nodes import tabulate
from sakd.pipelines.status import find_status
from sakd.pipelines.students.nodes import train_row
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.study.pack import Pack
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.store import CellStore
from sakd.study.sweeps import rows_of

BRIEF = {"epochs": 1, "keep_epochs": 0, "batch_size": 36}
AT = "distillation.weights.at"
GRID = {
    "pairs": "resnet14/resnet8",
    "distillers": "kd+at",
    "exclude": [{"distiller": "kd", "policy": "adaptive"}],
    "overrides": [{"distiller": "kd", "settings": {"student.batch_size": 24}}],
    "sweep": {AT: [5, 50]},
}
PLAIN = {"pairs": "resnet14/resnet8", "distillers": "kd+at"}


def study(grid: dict[str, Any], **more: Any) -> Parameters:
    raw = {"device": "cpu", "grid": grid, "teacher": BRIEF, "student": BRIEF, **more}
    return parse_parameters(raw)


class Run:
    """A study in a folder."""

    def __init__(self, splits: Splits, folder: Path) -> None:
        self.card = replace(splits.card, name="digits").to_json()
        self.store = CellStore(folder)
        self.development: Parts = {"train": splits.train.tensors, "val": splits.val.tensors}
        self.test: Parts = {"test": splits.test.tensors}
        given = self.development, self.card, self.store
        self.weights = make_teacher(*given, study(PLAIN).teacher_of("resnet14"), study(PLAIN))

    def keys(self, parameters: Parameters) -> dict[str, str]:
        (row,) = rows_of(parameters)
        images = lessons(self.development, self.card, parameters.data)
        trainings = taught_trainings(row, self.weights, images, parameters)
        return {c.id: one.key for c, one in zip(row.cells, trainings, strict=True)}

    def train(self, parameters: Parameters) -> dict[str, Any]:
        (row,) = rows_of(parameters)
        given = self.development, self.card, self.store
        return train_row(*given, row, parameters, self.weights)


@pytest.fixture
def made(splits: Splits, tmp_path: Path) -> Run:
    return Run(splits, tmp_path)


def test_a_cell_has_the_key_of_a_study_with_its_settings_everywhere(made: Run) -> None:
    own, plain = made.keys(study(GRID)), made.keys(study(PLAIN))
    name = "digits-resnet14-resnet8-{}-s0".format
    assert own[name("none-none")] == plain[name("none-none")]
    small = made.keys(study(PLAIN, student={**BRIEF, "batch_size": 24}))
    assert own[name("kd-always")] == small[name("kd-always")] != plain[name("kd-always")]
    for weight in (5, 50):
        other = made.keys(study(PLAIN, distillation={"weights": {"at": weight}}))
        for method in ("at-always", "at-adaptive"):
            assert own[name(f"{method}-{AT}={weight}")] == other[name(method)]
    assert len(own) == 6


def test_a_pack_holds_cells_of_one_size_of_batches(
    made: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs: list[set[int]] = []

    def run(pack: Pack) -> list[Any]:
        packs.append({one.recipe.batch_size for one in pack.trainings})
        return ran(pack)

    ran = Pack.run
    monkeypatch.setattr(Pack, "run", run)
    records = made.train(study(GRID))
    assert packs == [{36}, {24}]
    assert len(records) == len({record["key"] for record in records.values()}) == 6


def test_all_is_in_the_results_with_its_settings_and_what_is_chosen(made: Run) -> None:
    parameters = study(GRID)
    records = made.train(parameters)
    images = made.test, made.development, made.card, made.store
    teacher = measure_teacher(*images, made.weights, parameters.teacher_of("resnet14"), parameters)
    evaluation, _, predictions = measure_students(*images, parameters, made.weights, records)
    results = tabulate(parameters, made.card, evaluation, predictions, teacher)
    assert set(results["cell"]) == set(settings_of_cells(parameters, made.card))
    lines = results.set_index("cell")
    kd = lines.loc["digits-resnet14-resnet8-kd-always-s0"]
    assert (kd["setting"], kd["swept"]) == ("student.batch_size=24", "")
    for policy in ("always", "adaptive"):
        method = results[(results["distiller"] == "at") & (results["policy"] == policy)]
        assert method["setting"].tolist() == method["swept"].tolist() == [f"{AT}=5", f"{AT}=50"]
        best = method["val_top1"].idxmax()
        assert method.index[method["chosen"]].tolist() == [best]
    assert results.loc[results["swept"] == "", "chosen"].all()
    assert results["record"].nunique() == len(results)
    _same_evaluation(made, results)


def _same_evaluation(made: Run, results: pd.DataFrame) -> None:
    """Measure nothing again for the same cell in a study without the sweep."""
    before = {path.name for path in made.store.root.rglob("evaluations/**/*.json")}
    other = study(PLAIN | {"exclude": GRID["exclude"]}, distillation={"weights": {"at": 5}})
    records = made.train(other)
    images = made.test, made.development, made.card, made.store
    measured = measure_students(*images, other, made.weights, records)[0].set_index("cell")
    at = measured.loc["digits-resnet14-resnet8-at-always-s0", "test_top1"]
    assert at == results.loc[results["swept"] == f"{AT}=5", "test_top1"].iloc[0]
    after = {path.name for path in made.store.root.rglob("evaluations/**/*.json")}
    assert len(after - before) == 1  # kd, by its other batches


def test_the_status_tells_the_cells_of_a_sweep_apart(made: Run) -> None:
    parameters = study(GRID)
    (row,) = rows_of(parameters)
    scope = Scope(made.development, made.card, parameters, [row], ["resnet14"])
    status = find_status("digits", [scope], made.store)
    counts = status.to_json()
    assert (counts["cells"], counts["missing"]) == (6, 6)
    names = [one["id"] for one in counts["trainings"]["missing"]]
    assert f"digits-resnet14-resnet8-at-always-s0, {AT}=50" in names
    assert len(set(names)) == 6
