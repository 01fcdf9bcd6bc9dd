"""Images that cannot be used: all are counted, ten are named, and they can be left out."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sakd.data import Dataset, Splitting, open_dataset, prepare
from sakd.foundation.errors import UserError

COUNT, BAD = 20, 12


def no_image(_encoded: bytes) -> bytes:
    return b"no image"


def truncated(encoded: bytes) -> bytes:
    return encoded[: len(encoded) * 2 // 3]


@pytest.fixture(params=["folder", "streamed", "parquet"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, write_parquet, encode, draw
) -> Callable[..., Dataset]:
    """Store 20 images of each of two classes; of the first, 12 are spoilt."""

    def make(spoil: Callable[[bytes], bytes], **options: Any) -> Dataset:
        contents = [encode(draw(k, 40, 40, 3)) for k in range(2 * COUNT)]
        contents[:BAD] = map(spoil, contents[:BAD])
        if request.param == "parquet":
            labels = [0] * COUNT + [1] * COUNT
            write_parquet(tmp_path / "train.parquet", contents, ["ant", "bee"], label=labels)
            return open_dataset("parquet", tmp_path, **options)
        for number, content in enumerate(contents):
            place = tmp_path / ("ant" if number < COUNT else "bee") / f"{number:02}.png"
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(content)
        if request.param == "streamed":
            options |= {"streamed": True, "workers": 0}
        return open_dataset("folder", tmp_path, size=8, **options)

    return make


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(no_image, "cannot identify image file"), (truncated, "truncated|broken|decod")],
)
def test_by_default_they_are_refused_in_one_line(store, spoil, reason: str) -> None:
    with pytest.raises(UserError, match=rf"12 of 40 images .* \(.*({reason})") as error:
        store(spoil).load()
    said = str(error.value)
    assert said.count(";") == 10  # between ten of them, and before the remedy
    assert " and 2 more; replace or remove them, or leave them out with data.on_error=skip" in said
    assert "\n" not in said


def test_they_can_be_left_out_and_are_listed_in_log_and_card(
    store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = store(truncated, on_error="skip")
    dataset.check()
    raw = dataset.load()
    assert raw.train.labels.bincount().tolist() == [COUNT - BAD, COUNT]
    card = prepare(raw, Splitting(0.2, test_fraction=0.2), name="x").card
    assert len(card.skipped) == BAD
    assert str(tmp_path) not in "".join(card.skipped)
    assert "12 images that cannot be used were skipped" in card.notes
    skipped = [r for r in caplog.records if r.getMessage().startswith("skipped: ")]
    assert len(skipped) == BAD
    assert all(record.levelno == logging.WARNING for record in skipped)
    assert dataset.fingerprint() != store(truncated).fingerprint()


def test_too_few_images_left_of_a_class_are_refused(tmp_path: Path, write_folder) -> None:
    top = write_folder(tmp_path, count=5)
    for number in range(3):
        (top / "train" / "ant" / f"{number}.png").write_bytes(b"no image")
    dataset = open_dataset("folder", top, on_error="skip")
    dataset.check()
    with pytest.raises(UserError, match="class 'ant' has 2 images for training; needed: 3"):
        dataset.load()


def test_other_files_empty_ones_and_broken_links_are_left_out_too(
    tmp_path: Path, write_folder
) -> None:
    top = write_folder(tmp_path)
    ant = top / "train" / "ant"
    (ant / "notes.txt").write_text("mine")
    (ant / "empty.png").touch()
    (ant / "link.png").symlink_to(top / "gone")
    with pytest.raises(UserError, match=r"link.png is a broken link"):
        open_dataset("folder", top).check()
    dataset = open_dataset("folder", top, on_error="skip")
    dataset.check()
    assert dataset.fingerprint()
    raw = dataset.load()
    assert len(raw.train) == 8
    assert sorted(each.partition(" ")[0] for each in raw.skipped) == [
        "train/ant/empty.png",
        "train/ant/link.png",
        "train/ant/notes.txt",
    ]
