"""Images that stay in their files, from a folder to a report; a broken one is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

QUICK = (
    "data.options.size=16,data.val_fraction=0.2,threads=1,grid.pairs=resnet14/resnet8,grid.distillers=kd,"
    "grid.policies=always+adaptive,teacher.epochs=1,student.epochs=1,teacher.batch_size=8,"
    "student.batch_size=8,student_lr.resnet8=0.02"
)


@pytest.fixture(scope="module")
def project(copy_project: Callable[[], Any]) -> Any:
    """A project in which images are streamed."""
    return copy_project()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures of two classes, of many sizes and some grey, as ImageNet lays them out."""
    top, dice = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for label, name in enumerate(("n01", "n02")):
        for split, count in (("train", 20), ("val", 10)):
            (top / split / name).mkdir(parents=True)
            for number in range(count):
                height, width = dice.integers(12, 60, 2)
                shape = (height, width, 3) if number % 5 else (height, width)
                pixels = dice.integers(0, 128, shape, dtype=np.uint8) + 100 * label
                picture = Image.fromarray(pixels.astype(np.uint8))
                picture.save(top / split / name / f"{number}.JPEG")
    return top


def run(project: Any, folder: Path, more: str) -> Any:
    parameters = f"data.path={folder},{QUICK},{more}"
    return project.kedro("run", "--env", "imagenet", "--params", parameters)


def test_a_folder_is_streamed_to_a_report_with_one_command(project: Any, folder: Path) -> None:
    done = run(project, folder, "data.workers=0")
    assert done.returncode == 0, done.stderr
    assert "imagenet: resnet14 -> resnet8" in done.stdout
    primary = project.folder / "data/03_primary/imagenet"
    card = json.loads((primary / "card.json").read_text())
    counts = {split: sum(each) for split, each in card["counts"].items()}
    assert counts == {"train": 32, "val": 8, "test": 20}
    assert (card["channels"], card["height"], card["width"]) == (3, 16, 16)
    assert card["mean"] == [0.485, 0.456, 0.406]
    assert card["duplicates"] == {"in_test": 0, "contradicting": 0, "repeated": 0, "left_out": 0}
    index = load_file(primary / "development" / "train.safetensors")
    assert sorted(index) == ["content", "labels", "paths", "side", "tones"]
    records = [json.loads(path.read_text()) for path in project.folder.rglob("record.json")]
    rates = {r["id"]: r["facts"]["training"]["optimisation"]["lr"] for r in records}
    assert sorted(rates.values()) == [0.02, 0.02, 0.02, 0.1]


def test_a_broken_image_is_named_before_any_training(project: Any, folder: Path) -> None:
    broken = folder / "train" / "n02" / "3.JPEG"
    broken.write_bytes(b"?" * broken.stat().st_size)
    failed = run(project, folder, "data.workers=2")
    assert failed.returncode == 1
    (error,) = [line for line in failed.stderr.splitlines() if "Error" in line]
    assert "1 of 60 images cannot be used: " in error
    assert "train/n02/3.JPEG (cannot identify image file)" in error
    assert "remove" in error
    assert "epoch" not in failed.stdout
    assert "Traceback" not in failed.stdout + failed.stderr
