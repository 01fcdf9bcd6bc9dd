"""Two runs in one folder of data: each uses what it has made itself, or says that it cannot."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from sakd.foundation.errors import UserError
from sakd.project.context import Context

TRAINING = ("data_preparation", "teacher", "students")
BRIEF = {"epochs": 1, "keep_epochs": 0}
SMALL: dict[str, Any] = {
    "data": {"train_size": 40, "student_per_class": 3},
    "grid": {"pairs": "resnet14/resnet8", "distillers": "kd", "policies": "always"},
    "teacher": BRIEF,
    "student": BRIEF,
    "corruptions": False,
}

Start = Callable[..., "Run"]


class Run:
    """A run of the smoke study, stage by stage."""

    def __init__(self, context: Context) -> None:
        self.catalog = context.catalog
        self.pipelines: Mapping[str, Pipeline] = dict(pipelines)

    def stages(self, *names: str) -> Run:
        for name in names:
            SequentialRunner().run(self.pipelines[name], self.catalog)
        return self

    def evaluation(self) -> pd.DataFrame:
        return self.catalog.load("digits-evaluation")


@pytest.fixture
def start(tmp_path: Path, root: Path, load_context: Callable[..., Context]) -> Start:
    """Start a run in a folder of data; ``changes`` are made within the sections of its study."""

    def begin(place: Path, **changes: Any) -> Run:
        conf = tmp_path / "conf"
        shutil.copytree(root / "conf", conf, dirs_exist_ok=True)
        (conf / "smoke" / "globals.yml").write_text(f"data_root: {place}\n")
        study = {name: {**SMALL.get(name, {}), **change} for name, change in changes.items()}
        return Run(load_context("smoke", conf, **{**SMALL, **study}))

    return begin


OTHER = {"teacher": {"epochs": 2}, "student": {"epochs": 2}, "grid": {"distillers": "at"}}


def test_a_run_measures_its_own_teacher_and_cells_whatever_another_has_made(
    start: Start, tmp_path: Path
) -> None:
    one = start(tmp_path / "data").stages(*TRAINING, "evaluate")
    alone = one.evaluation()
    start(tmp_path / "data", **OTHER).stages(*TRAINING)
    pd.testing.assert_frame_equal(one.stages("evaluate").evaluation(), alone)


@pytest.mark.parametrize("change", [{"train_size": 50}, {"val_fraction": 0.3}], ids=str)
def test_a_run_whose_data_another_has_prepared_otherwise_is_refused(
    start: Start, tmp_path: Path, change: dict[str, Any]
) -> None:
    one = start(tmp_path / "data").stages("data_preparation")
    start(tmp_path / "data", data=change).stages("data_preparation")
    with pytest.raises(UserError, match=r"digits was prepared .* data_preparation"):
        one.stages("teacher")
