"""The main job in seconds: all pipelines, on real images, from nothing to a report."""

from __future__ import annotations

import csv
import itertools
import json
import re
import signal
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sakd.distillers import DISTILLERS
from sakd.foundation.sealing import sealed_at_once

pytestmark = pytest.mark.slow

COLUMNS = [
    *("cell", "dataset", "teacher", "student", "distiller", "policy", "seed"),
    *("record", "weights", "ended", "status", "epochs", "val_top1"),
    *("test_top1", "test_top1_val_selected", "test_top1_best", "test_balanced"),
]
TOP1_ON_TEST = ["test_top1", "test_top1_val_selected", "test_top1_best"]
ACCURACIES = ["val_top1", *TOP1_ON_TEST, "test_balanced", "teacher_test_balanced"]

ONE_BY_ONE = """
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from pathlib import Path

bootstrap_project(Path.cwd())
for name in ("data_preparation", "teacher", "students", "evaluate", "report"):
    with KedroSession.create(env="smoke", runtime_params={params}) as session:
        session.run(pipeline_names=[name])
"""


def results(project: Any) -> dict[str, dict[str, str]]:
    with (project.reporting / "results.csv").open(newline="") as lines:
        return {line["cell"]: line for line in csv.DictReader(lines)}


def methods(lines: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    return [(line["distiller"], line["policy"]) for line in lines.values()]


def listen() -> None:
    """Take interrupts, which a test that runs in the background would ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def cells(records: Iterable[str]) -> set[str]:
    """Name the cells of ``records``, which are named by cell and key."""
    return {name.partition("/")[0] for name in records}


class TestFromNothing:
    def test_it_ends_well(self, first: Any) -> None:
        assert first.returncode == 0, first.stderr

    def test_every_cell_of_the_grid_has_a_line(self, project: Any, first: Any) -> None:
        assert first.returncode == 0
        grid = [("none", "none"), *itertools.product(DISTILLERS, ("always", "adaptive"))]
        assert sorted(methods(results(project))) == sorted(grid)

    def test_every_line_has_the_columns_that_are_promised(self, project: Any, first: Any) -> None:
        assert first.returncode == 0
        for line in results(project).values():
            assert set(COLUMNS) <= set(line)
            assert line["status"] == "done"
            assert (line["dataset"], line["seed"]) == ("digits", "0")
            assert (line["teacher"], line["student"]) == ("resnet20", "resnet8")
            assert line["epochs"] == "4"
            assert not line["error"]

    def test_accuracies_are_fractions(self, project: Any, first: Any) -> None:
        assert first.returncode == 0
        for line in results(project).values():
            accuracy = {name: float(line[name]) for name in ACCURACIES}
            assert all(0 <= value <= 1 for value in accuracy.values())
            assert accuracy["test_top1_best"] == max(accuracy[name] for name in TOP1_ON_TEST)
            assert float(line["teacher_test_top1"]) > 0.8

    def test_the_report_is_there_as_text_page_and_figures(self, project: Any, first: Any) -> None:
        assert first.returncode == 0
        text = (project.reporting / "report.md").read_text()
        page = (project.reporting / "report.html").read_text()
        for name in DISTILLERS:
            assert name in text
            assert name in page
        assert "Plotly.newPlot" in page
        assert not re.search(r"<(script|link|img)[^>]+(src|href)=.https?:", page)
        for figure in ("learning_curves", "gate_rates", "gains"):
            assert json.loads((project.reporting / f"{figure}.json").read_text())["data"]
        assert json.loads((project.reporting / "summary.json").read_text())

    def test_the_table_is_printed(self, first: Any) -> None:
        table = first.stdout
        assert "digits: resnet20 -> resnet8" in table
        for row in ("teacher (resnet20)", "student alone (resnet8)", "KD (resnet8)"):
            assert re.search(rf"^{re.escape(row)} +\d+\.\d\d", table, re.MULTILINE), row
        for name in DISTILLERS:
            assert re.search(rf"^{name} +\d+\.\d\d .* [+-]\d+\.\d\d", table, re.MULTILINE), name

    def test_each_training_is_reported_in_a_line(self, project: Any, first: Any) -> None:
        ended = re.compile(r"epoch (2/2|4/4)(, .*)?, val ")
        lines = [line for line in first.stdout.splitlines() if ended.search(line)]
        count = len(results(project))
        assert len(lines) == 1 + count
        assert f"1/{count}: digits-resnet20-resnet8-none-none-s0" in lines[1]

    def test_only_data_is_written(self, project: Any, first: Any, fresh: Any) -> None:
        assert first.returncode == 0
        caches = ("data/", ".viz/")
        found = project.files()
        assert {n: c for n, c in found.items() if not n.startswith(caches)} == {
            n: c for n, c in fresh.files().items() if not n.startswith(caches)
        }


def test_a_second_run_trains_nothing_and_gives_the_same_results(later: Any) -> None:
    before, table = later.records(), (later.reporting / "results.csv").read_bytes()
    prepared = later.prepared()
    second = later.study()
    assert second.returncode == 0, second.stderr
    assert later.records() == before
    assert (later.reporting / "results.csv").read_bytes() == table
    assert second.stdout.count(": done already") == len(before)
    assert "epoch 2/2" not in second.stdout
    assert "digits: prepared already" in second.stdout
    assert later.prepared() == prepared
    assert "teacher (resnet20)" in second.stdout


def test_each_pipeline_runs_by_itself(later: Any) -> None:
    before = later.records()
    params = {"grid": {"distillers": "kd", "policies": "always"}}
    done = later.python("-c", ONE_BY_ONE.format(params=params))
    assert done.returncode == 0, done.stderr
    assert later.records() == before
    assert methods(results(later)) == [("none", "none"), ("kd", "always")]


def test_cleaning_removes_what_neither_the_grid_nor_its_report_uses(later: Any) -> None:
    before, table = later.records(), later.reporting / "results.csv"
    head, *lines = table.read_text().splitlines()
    reported = [line for line in lines if "-kd-always-" in line]
    with sealed_at_once(table) as partial:
        partial.write_text("\n".join([head, *reported]))
    grid = ("--env", "smoke", "--params", "grid.distillers=at,grid.policies=always")
    done = later.sakd("clean", *grid, "--yes")
    assert done.returncode == 0, done.stderr
    used = ("-none-none-", "-kd-always-", "-at-always-")
    expected = {x for x in cells(before) if "-resnet8-" not in x or any(y in x for y in used)}
    after = later.records()
    assert cells(after) == expected
    assert len(expected) == 1 + len(used)
    assert f"{len(before) - len(after)} removed" in done.stdout


def test_a_cell_that_fails_is_reported_and_the_others_are_kept(later: Any) -> None:
    before = later.records()
    small = ("grid.distillers=kd+at", "grid.policies=always")
    done = later.study(*small, "distillation.weights.at=1e38")
    assert done.returncode != 0
    lines = results(later)
    status = {line["distiller"]: line["status"] for line in lines.values()}
    assert status == {"none": "done", "kd": "done", "at": "failed"}
    failed = lines["digits-resnet20-resnet8-at-always-s0"]
    assert re.match(r"NotFiniteError: \w+ is (nan|-?inf) .*learning rate", failed["error"])
    assert failed["test_top1"] == ""
    assert "1 of 3 cells failed" in done.stderr
    assert failed["cell"] in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert failed["cell"] in (later.reporting / "report.md").read_text()
    after = later.records()
    assert {name: after[name] for name in before} == before
    assert cells(after.keys() - before) == {failed["cell"]}


def test_after_an_interruption_finished_cells_are_not_repeated(
    later: Any, gate: Any, start: Callable[..., Any]
) -> None:
    run = ["run", "--pipelines", "students", "--env", "smoke", "--params"]
    run.append("grid.policies=always,grid.distillers=kd,grid.seeds=7,pack=1,trackers=gate:Gate")
    alone, taught = (f"digits-resnet20-resnet8-{name}-s7" for name in ("none-none", "kd-always"))
    place: dict[str, Any] = {"cwd": later.folder, "env": gate.environment}
    with gate.shut(taught):
        running = start(later.command(*run), **place, preexec_fn=listen)
        running.until(lambda: list((later.cells / "running").glob(f"{taught}-*.json")))
        running.until(lambda: alone in cells(later.records()))
        before, written = later.records(), len(running.output)
        running.process.send_signal(signal.SIGINT)
        assert running.ended() == 130
    rest = running.output[written:]
    assert "Traceback" not in rest
    assert len(rest.splitlines()) <= 5, rest
    assert later.records() == before
    assert taught not in cells(before)

    done = later.kedro(*run, environment=gate.environment)
    assert done.returncode == 0, done.stderr
    assert f"{alone}: done already" in done.stdout
    assert f"{taught}: epoch 4/4" in done.stdout
    after = later.records()
    assert cells(name for name in after if after[name] != before.get(name)) == {taught}
