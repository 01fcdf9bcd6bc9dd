"""Kedro's commands end in one line where they name what does not exist, and start otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project
from kedro.runner import AbstractRunner
from kedro_viz.data_access import DataAccessManager
from kedro_viz.integrations.kedro.data_loader import load_data
from kedro_viz.integrations.kedro.telemetry import get_heap_app_id
from kedro_viz.launchers.cli.main import viz
from kedro_viz.models.flowchart.nodes import TaskNode
from kedro_viz.server import populate_data

from sakd import cli
from sakd.project.cluster.runner import RayRunner
from sakd.project.parallel import ParallelRunner
from sakd.project.parameters import activate

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    bootstrap_project(ROOT)
    yield
    activate(None)


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("run --runner SequentialRuner", "'SequentialRuner'; did you mean 'SequentialRunner'"),
        ("run --runner sakd.nowhere.Runner", r"'sakd\.nowhere\.Runner'.*package\.module\.Class"),
        ("run --runner json.loads", r"'json\.loads'.*package\.module\.Class"),
        ("run --runner-params workers=2", "SequentialRunner has no .* 'workers'; known: is_async"),
        (
            "run --runner ParallelRunner --runner-params max_worker=2",
            "known: max_workers, is_async",
        ),
        ("run --runner ParallelRunner --runner-params max_workers=many", "max_workers.*'many'"),
        ("run --runner ParallelRunner --runner-params max_workers=0", "max_workers .*got 0"),
        (
            "run --runner RayRunner --runner-params gpu=1",
            "known: .*, address, cpus, gpus, store",
        ),
        ("viz run --pipeline studnts", "unknown pipeline 'studnts'; did you mean 'students'"),
        ("viz run --env smok", "unknown environment 'smok'; did you mean 'smoke'"),
        ("viz run --params grd.seeds=1", "unknown parameter 'grd'; did you mean 'grid'"),
    ],
)
def test_what_does_not_exist_is_reported_in_one_line(command: str, complaint: str) -> None:
    name, *arguments = command.split()
    group: click.Group = {"run": cli.cli, "viz": viz}[name]
    result = CliRunner().invoke(group, command.split() if group is cli.cli else arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert re.search(complaint, result.output)


@pytest.mark.parametrize("runner", [None, "SequentialRunner", "kedro.runner.SequentialRunner"])
def test_a_command_that_is_right_starts_with_its_options(runner: str | None) -> None:
    started: list[dict[str, Any]] = []
    option = click.Option(["--runner"])
    command = click.Command("run", params=[option], callback=lambda **given: started.append(given))
    given = ["--runner", runner] if runner else []
    result = CliRunner().invoke(cli.checked(command, cli.look_up_runner), given)
    assert result.exit_code == 0, result.output
    assert started == [{"runner": runner}]


@pytest.mark.parametrize(
    ("named", "kind"),
    [
        ("RayRunner", RayRunner),
        ("ParallelRunner", ParallelRunner),
        ("kedro.runner.ParallelRunner", ParallelRunner),
    ],
)
def test_a_runner_of_the_project_is_found_by_its_name(
    named: str, kind: type[AbstractRunner]
) -> None:
    assert cli.look_up_runner(runner=named) == {"runner": f"{kind.__module__}.{kind.__name__}"}


@pytest.mark.parametrize("name", ["run", "sakd run"])
def test_options_of_a_file_hold_where_the_command_gives_no_others(
    name: str, tmp_path: Path
) -> None:
    given = "run: {env: smoke, tags: 'a,b', is_async: true, params: 'grid.seeds=0+1'}"
    (tmp_path / "options.yml").write_text(given)
    words = ["--env", "own", "--config", str(tmp_path / "options.yml")]
    taken = cli.run.make_context(name, words).params
    assert (taken["env"], taken["tags"], taken["is_async"]) == ("own", ["a", "b"], True)
    assert taken["params"] == {"grid": {"seeds": "0+1"}}


def test_parameters_in_a_file_may_be_nested(tmp_path: Path) -> None:
    (tmp_path / "options.yml").write_text("run: {params: {student: {epochs: 3}}}")
    taken = cli.run.make_context("run", ["--config", str(tmp_path / "options.yml")]).params
    assert taken["params"] == {"student": {"epochs": 3}}


def test_kedro_viz_listens_on_this_machine_alone_unless_asked() -> None:
    (host,) = (option.default for option in cli.viz_run.params if option.name == "host")
    assert host == "127.0.0.1"


def test_pages_of_kedro_viz_track_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DO_NOT_TRACK", "KEDRO_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
    assert get_heap_app_id(tmp_path) is not None  # no file .telemetry is there
    cli.look_up_graph(load_file="saved.json")
    assert get_heap_app_id(tmp_path) is None


@pytest.mark.parametrize("built", [True, False])
def test_a_site_that_kedro_viz_has_not_built_is_an_error(
    built: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "build" / "index.html"
    page.parent.mkdir()
    page.write_text("earlier")
    monkeypatch.setattr(cli, "PAGE", page)
    command = click.Command("build", callback=lambda: page.write_text("new") if built else None)
    result = CliRunner().invoke(cli.checked(command, cli.begin_site, cli.require_site))
    assert result.exit_code == (0 if built else 1)
    assert page.exists() == built
    assert built or re.search(r"^Error: .*has not built .*index\.html.*make lineage", result.output)


@pytest.mark.parametrize(
    ("env", "node", "data", "given"),
    [
        ("base", "seed_0.prepare", "digits_s0", "params:splits.digits_s0.data"),
        ("cifar100", "prepare", "cifar100", "params:data"),
    ],
)
def test_kedro_viz_draws_the_environment_that_it_is_asked_for(
    env: str, node: str, data: str, given: str
) -> None:
    catalog, pipelines, extras = load_data(ROOT, env=env, package_name="sakd")
    graph = DataAccessManager()
    populate_data(graph, catalog, pipelines, extras)
    nodes = graph.nodes.as_list()
    drawn = {node.full_name if isinstance(node, TaskNode) else node.name for node in nodes}
    assert {node, f"{data}-card", f"{data}-results", given} <= drawn
    edges = {
        (edge.source, edge.target)
        for edge in graph.get_edges_for_registered_pipeline("__default__")
    }
    ids = {node.name: node.id for node in graph.nodes.as_list()}
    assert (ids[f"{data}-card"], ids["write"]) in edges
