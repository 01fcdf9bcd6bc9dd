"""A folder of images in, a distilled student out; nothing is written where one is damaged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

QUICK = "grid.seeds=0,grid.distillers=kd,grid.policies=always,teacher.epochs=1,student.epochs=1"


@pytest.fixture(scope="module")
def project(copy_project: Callable[[], Any]) -> Any:
    """A project in which images of one's own are tried."""
    return copy_project()


def data(project: Any) -> dict[str, bytes]:
    """Every file of data, but for the records of runs, which lineage shows."""
    files = project.files().items()
    return {name: x for name, x in files if name.startswith("data") and ".runs." not in name}


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Twelve pictures of each of two classes, of different sizes, some of them grey."""
    dice = np.random.default_rng(0)
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(12):
            height, width = dice.integers(12, 40, 2)
            grey = dice.integers(0, 128, (height, width), dtype=np.uint8) + 100 * label
            picture = Image.fromarray(grey.astype(np.uint8))
            picture = picture if number % 2 else picture.convert("RGB")
            picture.save(tmp_path / "pets" / name / f"{number}.png")
    return tmp_path / "pets"


def test_a_folder_of_images_is_distilled_with_one_command(project: Any, pets: Path) -> None:
    done = project.kedro(
        *("run", "--pipelines", "distill", "--env", "own"),
        *("--params", f"data.path={pets},{QUICK},threads=1"),
    )
    assert done.returncode == 0, done.stderr
    (primary,) = (project.folder / "data/03_primary").glob("folder_pets_*")
    assert f"{primary.name}: 2 classes, 3 x " in done.stdout
    assert f"{primary.name}: resnet20 -> resnet8" in done.stdout
    card = json.loads((primary / "card.json").read_text())
    assert card["classes"] == ["cat", "dog"]
    assert sum(map(sum, card["counts"].values())) == 24
    report = (project.folder / "data/08_reporting" / primary.name / "report.md").read_text()
    assert re.search(r"\| cat +\|", report)


def test_an_unreadable_image_ends_the_run_in_one_line_with_nothing_written(
    project: Any, pets: Path
) -> None:
    before = data(project)
    (pets / "dog" / "3.png").write_bytes((pets / "dog" / "3.png").read_bytes()[:70])
    done = project.kedro("run", "--env", "own", "--params", f"data.path={pets}")
    assert done.returncode == 1
    assert "1 of 24 images cannot be used: " in done.stderr
    assert "dog/3.png" in done.stderr
    assert "Traceback" not in done.stderr
    assert data(project) == before
