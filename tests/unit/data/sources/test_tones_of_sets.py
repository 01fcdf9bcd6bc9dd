"""A set has one scale and one background, whichever form it is stored and read in."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sakd.data import RawData, Splitting, open_dataset, prepare

Read = Callable[..., RawData]


@pytest.fixture(params=["folder", "streamed", "parquet"])
def read(request: pytest.FixtureRequest, tmp_path: Path, write_parquet) -> Read:
    """Store pictures of two classes, four for training and two for test, and read them."""

    def make(contents: list[bytes], **options: object) -> RawData:
        labels = [0, 1] * 3
        for split, rows in (("train", slice(0, 4)), ("test", slice(4, 6))):
            if request.param == "parquet":
                file = tmp_path / f"{split}.parquet"
                write_parquet(file, contents[rows], ["a", "b"], label=labels[rows])
                continue
            for number, (content, label) in enumerate(
                zip(contents[rows], labels[rows], strict=True)
            ):
                place = tmp_path / split / "ab"[label] / f"{number}.png"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
        if request.param == "parquet":
            return open_dataset("parquet", tmp_path, **options).load()
        streamed = {"streamed": True, "workers": 0} if request.param == "streamed" else {}
        return open_dataset("folder", tmp_path, size=8, **options, **streamed).load()

    return make


def pixels(raw: RawData) -> torch.Tensor:
    """All pixels of train and test."""
    assert raw.test is not None
    return torch.cat(
        [each for part in (raw.train, raw.test) for each in part.as_they_are(9, "cpu")]
    )


def test_twelve_bits_are_scaled_by_the_brightest_picture_of_any_split(
    read: Read, deep_png, caplog: pytest.LogCaptureFixture
) -> None:
    levels = np.random.default_rng(0).integers(0, 1000, (6, 8, 8))
    levels[5, 0, 0] = 4095  # of a picture in test
    with caplog.at_level(logging.INFO):
        raw = read([deep_png(picture) for picture in levels])
    said = "levels 0 to 4095 of 6 pictures of 16 bits become 0 to 255"
    assert said in caplog.text
    card = prepare(raw, Splitting(0.5), name="x").card
    assert said in card.notes
    assert {"step": "levels", "low": 0, "high": 4095} in card.preprocessing
    found = pixels(raw)
    assert found.max() <= 255
    assert len(found[:, 0].unique()) > 50  # the higher byte alone has 4 below 1,000


@pytest.mark.parametrize(("asked", "shown"), [(None, 0), ("white", 255), ("grey", 128)])
def test_white_drawings_lie_over_black_unless_another_background_is_asked_for(
    read: Read, encode, asked: str | None, shown: int
) -> None:
    pictures = np.full((6, 8, 8, 4), 255, dtype=np.uint8)
    pictures[:, :, :3, 3] = 0
    pictures[range(6), range(6), 4] = (200, 220, 240, 0)  # so that all differ, unseen
    raw = read([encode(picture) for picture in pictures], background=asked, on_error="refuse")
    found = pixels(raw)
    assert (found[..., 0] == shown).all()
    assert (found[..., -1] == 255).all()
    name = {0: "black", 255: "white", 128: "grey"}[shown]
    assert any(f"6 pictures are laid over {name}" in note for note in raw.notes)
    vanished = "6 of them vanish over it (data.options.background)"
    assert any(vanished in note for note in raw.notes) == (shown == 255)
