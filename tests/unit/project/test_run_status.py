"""Runs in kedro-viz: the last one of every node, whichever stages have run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node
from kedro_datasets.text import TextDataset
from kedro_viz.api.rest.responses.run_events import RunStatusAPIResponse, get_run_status_response
from kedro_viz.integrations.kedro.hooks_utils import hash_node

from sakd.project.context import Context
from sakd.project.run_status import RunStatusHooks, merged, read, show, status_file

FIRST = Node(len, "a", "b", name="first", namespace="students")
SECOND = Node(len, "b", "c", name="second")


@pytest.fixture
def catalog(tmp_path: Path, load_context: Callable[..., Context]) -> DataCatalog:
    load_context()
    page = tmp_path / "08_reporting" / "digits" / "report.html"
    (tmp_path / "b").write_text("four")
    files = {"digits-report_html": page, "b": tmp_path / "b"}
    return DataCatalog({name: TextDataset(filepath=str(path)) for name, path in files.items()})


@pytest.fixture
def shown(
    catalog: DataCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], RunStatusAPIResponse]:
    """Put the runs of a project into the picture of kedro-viz."""
    (tmp_path / "pyproject.toml").write_text("[tool.kedro]")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # once more than before
        show(catalog, tmp_path)
    return get_run_status_response


def run(catalog: DataCatalog, *nodes: Node, error: Exception | None = None) -> None:
    hooks = RunStatusHooks()
    hooks.before_pipeline_run(catalog)
    for node in nodes:
        hooks.before_node_run(node)
        hooks.after_node_run(node)
        hooks.after_dataset_saved(node.outputs[0])
    if error is None:
        hooks.after_pipeline_run()
    else:
        hooks.on_node_error(error, SECOND)
        hooks.on_pipeline_error(error)


def test_runs_of_single_stages_add_up(
    catalog: DataCatalog, shown: Callable[[], RunStatusAPIResponse]
) -> None:
    assert shown().nodes == {}
    run(catalog, FIRST)
    once = shown()
    run(catalog, SECOND)
    both = shown()
    assert set(both.nodes) == {hash_node(FIRST), hash_node(SECOND)}
    assert both.nodes[hash_node(FIRST)] == once.nodes[hash_node(FIRST)]
    assert both.datasets[hash_node("b")].size == len("four")
    assert both.pipeline.start_time != once.pipeline.start_time


def test_a_failure_stays_until_the_node_runs_again(
    catalog: DataCatalog, shown: Callable[[], RunStatusAPIResponse]
) -> None:
    run(catalog, FIRST, error=ValueError("no such image"))
    run(catalog, FIRST)
    found = shown()
    assert found.pipeline.status.value == "success"
    node = found.nodes[hash_node(SECOND)]
    assert node.status.value == "failed"
    assert node.error is not None
    assert node.error.message == "no such image"
    run(catalog, SECOND)
    assert shown().nodes[hash_node(SECOND)].status.value == "success"


@pytest.mark.parametrize("content", ["", "3", "{}", "[1]", '[{"node_id": []}, null]', "[" * 50_000])
def test_events_of_another_form_are_forgotten(content: str, tmp_path: Path) -> None:
    (file := tmp_path / "runs.json").write_text(content)
    assert merged(read(file), [{"node_id": "1"}]) == [{"node_id": "1"}]


def test_a_run_goes_on_where_its_status_cannot_be_kept(
    catalog: DataCatalog, caplog: pytest.LogCaptureFixture
) -> None:
    status_file(catalog).parent.write_text("a file where a folder should be")
    with caplog.at_level(logging.WARNING):
        run(catalog, FIRST)
    assert "kedro-viz will not show this run" in caplog.text
