"""``sakd results`` shows the cells of all grids and datasets in one table."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pandas as pd
import pytest

from sakd.command.main import main

Capture = pytest.CaptureFixture[str]


def line(dataset: str, distiller: str, key: str, test: float | None = 0.5) -> dict[str, object]:
    named = {"dataset": dataset, "teacher": "t", "student": "s", "distiller": distiller}
    status = "failed" if test is None else "done"
    cell = {"cell": f"{dataset}-{distiller}", "key": key * 64, "policy": "always", "seed": 0}
    return named | cell | {"status": status, "epochs": 2, "val_top1": test, "test_top1": test}


@pytest.fixture(autouse=True)
def _in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two grids were run on digits, one after the other, and one in an environment of its own."""
    earlier = [line("digits", "kd", "a", 0.1), line("digits", "at", "b")]
    grids = {
        "08_reporting/digits@2026-01-01T000000Z": earlier,
        "08_reporting/digits": [line("digits", "kd", "a", 0.25), line("digits", "kd", "c")],
        "smoke/08_reporting/cats": [line("cats", "kd", "d", None)],
    }
    (tmp_path / "conf").mkdir()
    for age, (place, lines) in enumerate(grids.items()):
        folder = tmp_path / "data" / place
        folder.mkdir(parents=True)
        pd.DataFrame(lines).to_csv(folder / "results.csv", index=False)
        os.utime(folder / "results.csv", (1000 + age, 1000 + age))
    monkeypatch.chdir(tmp_path)


def shown(capsys: Capture, *options: str) -> list[list[str]]:
    assert main(["results", *options]) == 0, capsys.readouterr().err
    return [each.split() for each in capsys.readouterr().out.splitlines()[1:]]


def test_every_cell_of_every_grid_has_a_line_and_the_latest_of_one_key_stays(
    capsys: Capture,
) -> None:
    lines = shown(capsys)
    assert [(each[0], each[3], each[-1][0]) for each in lines] == [
        ("cats", "kd", "d"),
        ("digits", "at", "b"),
        ("digits", "kd", "a"),
        ("digits", "kd", "c"),
    ]
    assert lines[2][-3:] == ["25.00", "25.00", "a" * 12]


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (["--dataset", "digits"], "bac"),
        (["--dataset", "digits", "--distiller", "kd"], "ac"),
        (["--distiller", "at+kd", "--status", "done"], "bac"),
        (["--status", "failed", "--seed", "0"], "d"),
    ],
)
def test_lines_are_chosen_by_their_columns(capsys: Capture, options: list[str], keys: str) -> None:
    assert [each[-1][0] for each in shown(capsys, *options)] == list(keys)


def test_all_columns_are_there_as_csv(capsys: Capture) -> None:
    assert main(["results", "--csv", "--dataset", "cats"]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(table["key"]) == ["d" * 64]


def test_a_name_that_no_line_has_is_one_line(capsys: Capture, tmp_path: Path) -> None:
    assert main(["results", "--dataset", "digit"]) == 1
    assert "did you mean 'digits'" in capsys.readouterr().err
    assert main(["results", "--data", str(tmp_path / "none")]) == 1
    assert "there are no results" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "damaged"),
        (b"\xff,a\n1,2\n", "damaged"),
        (b"a,b\n1\n2,3,4\n", "damaged"),
        (b"dataset,key\ncats,a\n", "lacks the columns teacher"),
        (f"{','.join(line('cats', 'kd', 'a'))}\n{'x,' * 10}high,0\n".encode(), "val_top1 .*number"),
    ],
    ids=["empty", "not-utf-8", "lines", "columns", "words"],
)
def test_results_that_cannot_be_read_are_one_line(
    capsys: Capture, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "data" / "08_reporting" / "digits" / "results.csv"
    file.write_bytes(content)
    assert main(["results"]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert re.search(rf"digits/results\.csv.*{said}.*sakd run --pipelines report", told)


def test_the_settings_of_cells_are_shown_and_which_were_chosen(
    capsys: Capture, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "08_reporting" / "swept"
    folder.mkdir()
    values = {"e": ("w=1", True), "f": ("w=2", False)}
    lines = [
        line("digits", "at", key) | {"setting": text, "swept": text, "chosen": best}
        for key, (text, best) in values.items()
    ]
    again = line("digits", "at", "b") | {"cell": "digits-at-w=3", "setting": "w=3", "swept": "w=3"}
    own = line("digits", "kd", "g") | {"setting": "b=32", "swept": "", "chosen": True}
    pd.DataFrame([*lines, again, own]).to_csv(folder / "results.csv", index=False)
    found = {each[-1][0]: each[10:-1] for each in shown(capsys, "--dataset", "digits")}
    assert found == {
        "a": [],
        "b": ["w=3"],
        "c": [],
        "e": ["w=1", "yes"],
        "f": ["w=2", "no"],
        "g": ["b=32"],
    }
