"""Pictures are classified from files, folders and patterns; what cannot be read stops no others."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sakd.command.main import main
from sakd.data import Splits
from sakd.deployment import load
from sakd.deployment.pictures import pictures
from sakd.deployment.predicting import predict
from sakd.foundation.errors import UserError

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with names of all kinds."""
    place = tmp_path / "photos"
    for name in ("b.PNG", "a.jpg", "deeper/c.webp", ".hidden.png", "notes.txt", ".cache/d.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
    return place


def test_a_folder_stands_for_its_images(photos: Path) -> None:
    found = [photos / name for name in ("a.jpg", "b.PNG", "deeper/c.webp")]
    assert pictures([str(photos)]) == found


def test_patterns_and_files_are_listed_once_and_in_order(photos: Path) -> None:
    named = ["notes.txt", "[ab].*", "a.jpg", "**/*.webp", "missing.png"]
    found = pictures([str(photos / name) for name in named])
    names = ["notes.txt", "a.jpg", "b.PNG", "deeper/c.webp", "missing.png"]
    assert found == [photos / name for name in names]


def test_a_folder_without_images_and_a_pattern_without_files_are_refused(photos: Path) -> None:
    (photos / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty has no images; allowed: .*\.png"):
        pictures([str(photos / "empty")])
    with pytest.raises(UserError, match=r"no file is called like '.*\*.tif'; correct"):
        pictures([str(photos / "*.tif")])


def test_pictures_are_classified_as_one_by_one(
    pets: tuple[Path, Splits], save_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sakd.deployment.predicting.BATCH", 4)
    model = load(save_model(pets[1].card))
    paths = pictures([str(pets[0])])
    answers = predict(model, paths)
    assert (answers.paths, answers.faults) == (paths, [])
    with torch.no_grad():
        alone = [model(model.preprocess(path)[None]).softmax(dim=1) for path in paths]
    torch.testing.assert_close(answers.chances, torch.cat(alone))


def test_a_broken_file_is_a_line_and_the_others_go_on(
    pets: tuple[Path, Splits], save_model: Callable[..., Path], tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    fine, table = str(pets[0] / "ant"), tmp_path / "answers.csv"
    model = str(save_model(pets[1].card))
    given = [str(tmp_path), fine, str(tmp_path / "missing.png")]
    assert main(["predict", model, *given, "--output", str(table)]) == 1
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        f"{tmp_path}/broken.png (cannot identify image file)",
        f"{tmp_path}/missing.png (No such file or directory)",
        "sakd: 2 of 15 pictures cannot be used: replace them, or leave them out",
    ]
    with table.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["file"] for row in rows] == [str(path) for path in pictures([fine])]
    for row, shown in zip(rows, printed.out.splitlines()[1:], strict=True):
        chances = {name: float(row[f"p_{name}"]) for name in ("ant", "bee")}
        assert chances[row["class"]] == max(chances.values()) == float(row["probability"])
        assert sum(chances.values()) == pytest.approx(1, abs=1e-5)
        assert row["class"] in shown.removeprefix(row["file"]).split()[0]


def test_a_file_of_answers_that_cannot_be_written_is_named_before_any_picture_is_read(
    pets: tuple[Path, Splits],
    save_model: Callable[..., Path],
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sakd.command.predict.predict", pytest.fail)
    (tmp_path / "file").touch()
    given = ["--output", str(tmp_path / "file" / "answers.csv")]
    assert main(["predict", str(save_model(pets[1].card)), str(tmp_path / "no.png"), *given]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"sakd: {tmp_path}/file")


def test_a_folder_that_is_fine_ends_well(
    pets: tuple[Path, Splits], save_model: Callable[..., Path], capsys: Capture
) -> None:
    assert main(["predict", str(save_model(pets[1].card)), str(pets[0])]) == 0
    assert capsys.readouterr().err == ""
