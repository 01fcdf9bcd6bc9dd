"""A study in which every seed has its own split, from the command to the report."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

GIVEN = ("data.splits=per_seed", "grid.seeds=0+1", "grid.distillers=kd")


def test_every_seed_has_its_own_test_images_and_its_own_teacher(copy_project: Any) -> None:
    project = copy_project()
    done = project.study(*GIVEN)
    assert done.returncode == 0, done.stderr
    results = pd.read_csv(project.reporting / "results.csv")
    assert results.groupby("seed").size().to_list() == [3, 3]
    assert results.groupby("seed")["teacher_test_nll"].nunique().to_list() == [1, 1]
    assert results["teacher_test_nll"].nunique() == 2
    data = project.folder / "data" / "smoke"
    answers = pd.read_parquet(data / "07_model_output" / "digits" / "predictions.parquet")
    tested = [set(answers.loc[answers["cell"].str.endswith(s), "content"]) for s in ("s0", "s1")]
    assert tested[0]
    assert tested[0].isdisjoint(tested[1])
    folders = [data / "06_models" / f"digits_s{seed}" / "teachers" for seed in (0, 1)]
    first, second = (load_file(folder / "resnet20.safetensors") for folder in folders)
    assert any((first[name] != second[name]).any() for name in first)
    again = project.study(*GIVEN)
    assert "6 cells: all done" in again.stdout
