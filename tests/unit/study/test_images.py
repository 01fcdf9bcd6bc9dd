"""The table of all answers: one line for each network and test image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from sakd.data import Splits
from sakd.study.evaluations import Evaluation
from sakd.study.images import COLUMNS, predictions

STUDENT = pd.DataFrame(
    {
        "predicted": [0, 2, 2],
        "log_probability": [-0.5, -1.0, -2.0],
        "predicted_val_selected": [1, 1, 2],
        "predicted_best": [0, 1, 2],
    }
)
TEACHER = STUDENT[["predicted", "log_probability"]]


def table(splits: Splits) -> pd.DataFrame:
    images = splits.test.subset(torch.arange(3)).relabelled(torch.tensor([0, 1, 2]))
    return predictions({"t": Evaluation({}, TEACHER), "s": Evaluation({}, STUDENT)}, images)


def test_every_network_answers_for_every_image_in_the_order_of_the_split(splits: Splits) -> None:
    found = table(splits)
    assert tuple(found) == COLUMNS
    assert list(found["cell"]) == ["t"] * 3 + ["s"] * 3
    assert list(found["image"]) == [0, 1, 2] * 2
    assert list(found["label"]) == [0, 1, 2] * 2
    student = found[found["cell"] == "s"]
    assert list(student["right"]) == [True, False, True]
    assert list(student["right_val_selected"]) == [False, True, True]
    assert list(student["right_best"]) == [True, True, True]
    assert list(student["log_probability"]) == [-0.5, -1.0, -2.0]


def test_a_teacher_has_no_epoch_but_the_last(splits: Splits) -> None:
    teacher = table(splits).query("cell == 't'")
    assert list(teacher["right"]) == [True, False, True]
    assert teacher[["right_val_selected", "right_best"]].isna().all(axis=None)


def test_the_content_names_an_image_whatever_its_place_and_label(splits: Splits) -> None:
    before = table(splits)["content"][:3].tolist()
    turned = splits.test.subset(torch.tensor([2, 1, 0]))
    after = predictions({"t": Evaluation({}, TEACHER)}, turned)["content"].tolist()
    assert after == before[::-1]
    other = replace(turned, images=turned.images + 1)
    assert not set(predictions({"t": Evaluation({}, TEACHER)}, other)["content"]) & set(before)


def test_the_table_survives_its_file(splits: Splits, tmp_path: Path) -> None:
    found = table(splits)
    found.to_parquet(tmp_path / "p.parquet", index=False)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "p.parquet"), found)


def test_without_a_finished_network_the_table_is_empty(splits: Splits) -> None:
    found = predictions({}, splits.test)
    assert tuple(found) == COLUMNS
    assert found.empty
