"""The commands that read results: ``sakd report`` and ``sakd best``."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path

import pandas as pd
import pytest

from sakd.command.main import main

Capture = pytest.CaptureFixture[str]


def line(student: str, seed: int, val: float, **costs: float) -> dict[str, object]:
    named = {"dataset": "digits", "teacher": "t", "student": student, "seed": seed}
    cell = {"cell": f"{student}-s{seed}", "distiller": "kd", "policy": "always", "status": "done"}
    return named | cell | costs | {"val_top1": val, "test_top1": val - 0.1, "weights": f"{seed}.st"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with reports of two datasets, of which ``cats`` is the later, and of a copy."""
    (tmp_path / "conf").mkdir()
    small = {"parameters": 5e4, "macs": 2e6, "latency_b1_p50_ms": 0.5, "file_bytes": 2e5}
    large = {name: 4 * value for name, value in small.items()}
    results = pd.DataFrame(
        [*(line("s", k, 0.8, **small) for k in (0, 1)), line("l", 0, 0.9, **large)]
    )
    for age, name in enumerate(("cats@2026-01-01T000000Z", "cats", "digits")):
        folder = tmp_path / "data" / "08_reporting" / name
        folder.mkdir(parents=True)
        results.to_csv(folder / "results.csv", index=False)
        (folder / "report.html").write_text("")
        os.utime(folder / "report.html", (1000 - age, 1000 - age))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: Capture, *command: str) -> str:
    assert main(command) == 0
    return capsys.readouterr().out


def complaint(capsys: Capture, *command: str) -> str:
    assert main(command) == 1
    written = capsys.readouterr()
    assert (written.out, written.err.count("\n")) == ("", 1)
    return written.err


@pytest.mark.usefixtures("project")
def test_the_latest_report_is_named_and_not_a_copy_of_an_earlier_one(capsys: Capture) -> None:
    assert said(capsys, "report") == "data/08_reporting/cats/report.html\n"
    assert said(capsys, "report", "digits") == "data/08_reporting/digits/report.html\n"
    assert "unknown report 'dogs'" in complaint(capsys, "report", "dogs")


def test_a_report_is_found_from_a_folder_of_the_project(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "conf")
    assert said(capsys, "report") == f"{project}/data/08_reporting/cats/report.html\n"


def test_a_report_opens_in_a_browser_only_if_asked_to(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    said(capsys, "report")
    assert opened == []
    said(capsys, "report", "--open")
    assert opened == [(project / "data/08_reporting/cats/report.html").as_uri()]


@pytest.mark.usefixtures("project")
def test_without_a_browser_the_path_is_still_shown(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _url: False)
    assert main(["report", "--open"]) == 1
    written = capsys.readouterr()
    assert written.out == "data/08_reporting/cats/report.html\n"
    assert "no browser" in written.err


def test_where_there_is_no_report_the_remedy_is_named(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("report", "best"):
        assert "there is no report in data: make one with sakd run" in complaint(capsys, command)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("budget", "student"),
    [
        ("", "l"),
        ("--max-params 200k", "l"),
        ("--max-params 100k", "s"),
        ("--max-macs 2M", "s"),
        ("--max-latency 0.5ms", "s"),
        ("--max-size 0.2MB", "s"),
        ("--max-size 1G --max-macs 7999999", "s"),
    ],
)
def test_the_best_student_under_a_budget_is_shown(
    budget: str, student: str, capsys: Capture
) -> None:
    shown = said(capsys, "best", *budget.split())
    assert shown.startswith(f"ship     {student} by kd, always, from t\n")
    if student == "s":
        assert "test     70.00 ± 0.00 % (2 seeds)\n" in shown
        assert "cell     s-s0 (of its seeds the best on val; test 70.00 %)\n" in shown
        assert "weights  0.st\n" in shown


@pytest.mark.usefixtures("project")
def test_the_margin_decides_what_is_listed(capsys: Capture) -> None:
    assert "no other is within 0.5 points" in said(capsys, "best")
    assert "the smallest of these is s by kd" in said(capsys, "best", "--margin", "10")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--max-params 10k", "nothing fits 10,000 parameters: the smallest there is has 50,000"),
        ("--max-params 10kk", "'10kk' is not an amount above 0; write it as 100k"),
        ("--max-latency 0ms", "'0ms' is not an amount above 0; write it as 2ms"),
        ("--max-parms 10k", "unrecognized arguments: --max-parms"),
    ],
)
def test_a_budget_that_nothing_fits_or_that_is_wrong_is_one_line(
    options: str, words: str, capsys: Capture
) -> None:
    assert words in complaint(capsys, "best", *options.split())
