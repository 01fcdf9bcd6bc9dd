"""Cells that failed end a run with an error, whichever stage it was."""

from __future__ import annotations

from typing import Any

import click
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from sakd import settings
from sakd.project.failures import FailureHooks

ROW, EVALUATION, RESULTS = "digits-a-b-s0-records", "digits-evaluation", "digits-results"
PAGE = "digits-report_html"


def content(name: str, status: str) -> Any:
    if name == ROW:
        return {"one": {"status": "done"}, "two": {"status": status}}
    return pd.DataFrame({"cell": ["one", "two"], "status": ["done", status]})


def run(made: dict[str, str], kept: dict[str, str] | None = None) -> None:
    """Run nodes that make datasets with the status of a cell; others may be kept afterwards."""
    hooks = FailureHooks()
    hooks.before_pipeline_run()
    pipeline = Pipeline([Node(len, "a", name, name=name) for name in (*made, PAGE)])
    for name, status in made.items():
        hooks.after_node_run(outputs={name: content(name, status)})
    kept = {**made, **(kept or {})}
    datasets = {name: MemoryDataset(content(name, status)) for name, status in kept.items()}
    hooks.after_pipeline_run(pipeline, DataCatalog(datasets))


@pytest.mark.parametrize("stage", [[ROW], [EVALUATION], [RESULTS], [ROW, EVALUATION, RESULTS]])
def test_failed_cells_end_the_run_with_their_names(stage: list[str]) -> None:
    run(dict.fromkeys(stage, "done"))
    with pytest.raises(click.ClickException, match=r"1 of 2 cells failed.*: two") as caught:
        run(dict.fromkeys(stage, "failed"))
    assert "\n" not in caught.value.message


def test_the_outcome_is_that_of_the_run_though_another_has_written_its_own() -> None:
    run({ROW: "done"}, kept={ROW: "failed"})
    with pytest.raises(click.ClickException, match="two"):
        run({ROW: "failed"}, kept={ROW: "done"})


def test_outcomes_of_nodes_in_other_processes_are_read() -> None:
    pipeline = Pipeline([Node(len, "a", ROW, name="row")])
    catalog = DataCatalog({ROW: MemoryDataset(content(ROW, "failed"))})
    with pytest.raises(click.ClickException, match="two"):
        FailureHooks().after_pipeline_run(pipeline, catalog)


def test_it_is_checked_in_every_run() -> None:
    assert any(isinstance(hook, FailureHooks) for hook in settings.HOOKS)
