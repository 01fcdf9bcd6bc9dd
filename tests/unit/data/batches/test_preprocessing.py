"""The rule in docs/preprocessing.md gives the tensors that networks are trained and measured on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from odd_pictures import write_alike, write_grey, write_odd
from sakd.data import (
    DataCard,
    RawData,
    Splits,
    Splitting,
    evaluation_batches,
    open_dataset,
    prepare,
)

PAGE = (Path(__file__).parents[4] / "docs" / "preprocessing.md").read_text()


def preprocess(picture: Image.Image, card: dict[str, Any]) -> Tensor:
    """Call the function of the page."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return torch.from_numpy(names["preprocess"](picture, card))


def shown(splits: Splits) -> list[Tensor]:
    """All images as networks see them in evaluation."""
    card = splits.card
    return [
        image
        for part in (splits.train, splits.val, splits.test)
        for batch, _ in evaluation_batches(part, card.mean, card.std, batch_size=4)
        for image in batch
    ]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("write", [write_odd, write_grey, write_alike])
def test_the_rule_in_the_documentation_gives_the_same_tensors(
    write: Callable[[Path, int], None], streamed: bool, tmp_path: Path
) -> None:
    for seed, name in enumerate(("ant", "bee")):
        (tmp_path / name).mkdir()
        write(tmp_path / name, seed)
    options = {"streamed": True, "size": 14, "workers": 0} if streamed else {}
    dataset = open_dataset("folder", tmp_path, **options)
    splits = prepare(dataset.load(), Splitting(0.25, test_fraction=0.25), name="pets")
    card = json.loads(json.dumps(splits.card.to_json()))
    assert DataCard.from_json(card) == splits.card
    seen = {image.numpy().tobytes() for image in shown(splits)}
    files = [path for path in sorted(tmp_path.rglob("*.*")) if path.is_file()]
    missed = []
    for path in files:
        with Image.open(path) as picture:
            found = preprocess(picture, card)
        assert found.shape == splits.card.image_shape
        if found.contiguous().numpy().tobytes() not in seen:
            missed.append(path.name)
    assert not missed
    assert len(seen) == len(files)


def test_the_card_of_images_that_come_as_tensors_has_the_steps_too(raw: RawData) -> None:
    card = prepare(raw, Splitting(0.25, test_fraction=0.25), name="pets").card
    found = preprocess(Image.new("RGB", (8, 8), (40, 40, 40)), card.to_json())
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (card.mean, card.std))
    torch.testing.assert_close(found, ((40 / 255 - mean) / std).expand(3, 8, 8))
