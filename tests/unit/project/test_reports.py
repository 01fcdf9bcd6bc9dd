"""Reports that the next run overwrites stay as copies."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro_datasets.text import TextDataset

from sakd.data import Splits
from sakd.project.context import Context
from sakd.project.hooks import conclude
from sakd.project.origin import ORIGIN
from sakd.project.reports import keep
from sakd.reporting import Origin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "08_reporting" / "digits"
    made.mkdir(parents=True)
    return made


def write(folder: Path, text: str, second: int, study: str = "a") -> None:
    for name in ("report.html", "gains.json"):
        (folder / name).write_text(text)
    (folder / "results.csv").write_text(f"cell,key\none,{study}\n")
    os.utime(folder / "report.html", (second, second))


def test_a_copy_stays_next_to_the_report(folder: Path) -> None:
    write(folder, "first", 0)
    copy = keep(folder)
    write(folder, "second", 1)
    assert copy == folder.with_name("digits@1970-01-01T000000Z")
    assert {file.name: file.read_text() for file in copy.iterdir()} == {
        "report.html": "first",
        "results.csv": "cell,key\none,a\n",
    }


def test_a_copy_has_the_tables_and_the_pictures(folder: Path) -> None:
    write(folder, "page", 0)
    for part in ("tables", "pictures"):
        (folder / part).mkdir()
        (folder / part / "file").write_text(part)
    copy = keep(folder)
    (folder / "tables" / "file").write_text("next")
    assert [(copy / part / "file").read_text() for part in ("tables", "pictures")] == [
        *("tables", "pictures"),
    ]


def test_the_latest_copies_stay_and_the_log_names_the_others(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = folder.with_name("digits_own@1970-01-01T000000Z")
    other.mkdir()
    with caplog.at_level(logging.INFO):
        for second in range(4):
            write(folder, str(second), second)
            keep(folder, most=2)
    kept = sorted(folder.parent.glob("digits@*"))
    assert [(copy / "report.html").read_text() for copy in kept] == ["2", "3"]
    assert [message.partition(" is deleted")[0][-7:] for message in caplog.messages] == [
        *("000000Z", "000001Z"),
    ]
    assert other.exists()


def test_the_latest_report_of_another_study_stays_however_often_one_is_run(folder: Path) -> None:
    for second, study in enumerate("bbaaa"):
        write(folder, f"{study}{second}", second, study)
        keep(folder, most=2)
    copies = sorted(folder.parent.glob("digits@*"))
    assert [(copy / "report.html").read_text() for copy in copies] == ["b1", "a3", "a4"]


def test_reports_of_two_studies_in_one_second_both_stay(folder: Path) -> None:
    for study in "aba":
        write(folder, study, 0, study)
        keep(folder)
    copies = sorted(folder.parent.glob("digits@*"))
    assert [(copy / "report.html").read_text() for copy in copies] == ["a", "b"]


def test_a_run_ends_with_its_study_and_the_places_of_report_and_copy(
    load_context: Callable[..., Context],
    folder: Path,
    splits: Splits,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_context(student={"epochs": 7}, data={"splits": "shared"})
    write(folder, "page", 0)
    monkeypatch.chdir(folder.parents[1])
    page = TextDataset(filepath=str(folder / "report.html"))
    parts = {"card": MemoryDataset(splits.card.to_json()), "report_html": page}
    catalog = DataCatalog({f"digits-{name}": dataset for name, dataset in parts.items()})
    catalog[ORIGIN] = Origin(environment="base")
    study, report = conclude(catalog).splitlines()
    assert study.startswith("study: environment base; teachers: ")
    assert " x 7 epochs" in study
    assert report == (
        "report: 08_reporting/digits/report.html "
        "(a copy stays in 08_reporting/digits@1970-01-01T000000Z)"
    )
