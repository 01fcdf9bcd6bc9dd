"""Every wrong input is one line with the value and the remedy; nothing is left behind."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bad_input import (
    archives,
    commands,
    files,
    grids,
    labels,
    layouts,
    models,
    names,
    parameters,
    pictures,
    tables,
    tensors,
    weights,
)
from bad_input.case import Case
from odd_pictures import write_odd
from sakd.command.main import main

ROOT = Path(__file__).parents[2]
KINDS = {
    "parameters": parameters,
    "grids": grids,
    "files of configuration": files,
    "commands": commands,
    "folders": layouts,
    "names": names,
    "images": pictures,
    "files of labels": labels,
    "Parquet files": tables,
    "published archives": archives,
    "weights of others": weights,
    "tensors of others": tensors,
    "models of others": models,
}
"""The parts of the table, as docs/reliability.md counts them."""

CASES = [
    pytest.param(case, id=f"{part.__name__.rpartition('.')[2]}-{case.name}")
    for part in KINDS.values()
    for case in part.CASES
]


def left(folder: Path) -> list[tuple[str, int]]:
    """The files of a project by name and size, but for who runs what."""
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    return sorted((str(p), p.lstat().st_size) for p in files if ".runs." not in p.name)


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_input_is_told_and_leaves_nothing(
    case: Case, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case.make(tmp_path)
    before = left(project), left(tmp_path)
    try:
        status = main([word.replace("{here}", str(tmp_path)) for word in case.words])
    except SystemExit as ended:
        status = ended.code
    told = capsys.readouterr().err
    assert status == case.status, told
    (line,) = told.splitlines()
    assert line.startswith(("Error: ", "sakd: ")), told
    assert re.search(case.value, line), told
    assert re.search(case.remedy, line), told
    assert line.isprintable(), told
    assert (left(project), left(tmp_path)) == before


def test_every_case_pins_a_value_and_a_remedy_of_its_own() -> None:
    cases = [case.values[0] for case in CASES]
    assert [
        case.name for case in cases if min(len(case.value), len(case.remedy)) < len("'a'")
    ] == []
    counts = Counter(case.name for case in cases)
    assert [name for name, count in counts.items() if count > 1] == []


def test_the_documents_count_the_cases_by_kind() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    section = page.partition("\n## Mistakes\n")[2].partition("\n## ")[0]
    counted = dict(re.findall(r"^\| ([A-Za-z ]+) \| (\d+) \|", section, re.MULTILINE))
    expected = {kind: str(len(part.CASES)) for kind, part in KINDS.items()}
    assert counted == {**expected, "together": str(len(CASES))}


def test_odd_images_are_taken(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Colours of all kinds, transparent, turned, animated, and with the ending of another kind."""
    dice = np.random.default_rng(0)
    for seed, name in enumerate(("ant", "bee")):
        place = tmp_path / "top" / name
        place.mkdir(parents=True)
        write_odd(place, seed)
        frames = list(map(Image.fromarray, dice.integers(0, 256, (3, 9, 9, 3), dtype=np.uint8)))
        frames[0].save(place / "moves.gif", save_all=True, append_images=frames[1:])
        frames[1].save(place / "modern.avif")
        frames[2].save(place / "really a png.jpg", "png")
    count = len(list(tmp_path.rglob("*.*")))
    given = f"threads=1,data.path={tmp_path / 'top'}"
    words = ["run", "--env", "own", "--pipelines", "data_preparation", "--params", given]
    with pytest.raises(SystemExit, match="0"):
        main(words)
    assert "Error" not in capsys.readouterr().err
    (card,) = project.rglob("folder_top_*/card.json")
    counts = json.loads(card.read_text())["counts"]
    assert sum(map(sum, counts.values())) == count
    shutil.rmtree(card.parent)
