"""Previews of datasets in kedro-viz, and none of a dataset that is not there."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from PIL import Image

from sakd.project.datasets import (
    SealedJSONDataset,
    SealedTableDataset,
    SplitsDataset,
    WeightsDataset,
)
from sakd.project.previews import IMAGES, images_of, lines_of


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (SealedJSONDataset, "card.json"),
        (SealedTableDataset, "history.csv"),
        (SplitsDataset, "development"),
        (WeightsDataset, "teacher.safetensors"),
    ],
)
def test_nothing_is_shown_before_a_run_has_written_it(kind: Any, name: str, tmp_path: Path) -> None:
    assert not kind(filepath=str(tmp_path / name)).preview()


def test_the_first_images_of_each_split_are_rows() -> None:
    light, dark = (
        torch.full((2 * IMAGES, 1, 8, 8), value, dtype=torch.uint8) for value in (255, 0)
    )
    parts = {"train": lambda: {"images": light}, "val": lambda: {"images": dark}}
    picture = Image.open(io.BytesIO(base64.b64decode(str(images_of(parts)))))
    pixels = picture.convert("L")
    assert picture.width < 2 * picture.height * IMAGES
    half = picture.height // 2
    darkest = [
        pixels.crop((200, top, picture.width, top + half)).getextrema()[0] for top in (0, half)
    ]
    assert darkest == [255, 0]


def test_images_in_files_are_not_read() -> None:
    assert not images_of({"train": lambda: {"paths": torch.zeros(3)}})


def test_pictures_in_a_table_are_shown_by_their_size() -> None:
    table = pd.DataFrame({"cell": ["a", "b", "c"], "png": [b"\x89PNG" * 300] * 3})
    shown: Any = lines_of(table, 2)
    assert shown["data"] == [["a", "1,200 bytes"], ["b", "1,200 bytes"]]
