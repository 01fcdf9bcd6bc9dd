"""Turns of runs: one at a time writes the tables and the report of a dataset."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from sakd.foundation.locks import ClaimedError, held
from sakd.project.reports import file_of, report_folder

EVALUATE, REPORT = "evaluate", "report"

logger = logging.getLogger(__name__)


class Turn:
    """Keeps the tables and the report of a run apart from those of others in its folder of data.

    It is taken before the first node that evaluates or reports, once no other run is at it, and
    given back when the run has ended. As soon as one table of an evaluation is written, those of
    earlier evaluations go, so that a run that is cut off leaves no tables of two.
    """

    def __init__(self, *, early: bool = False) -> None:
        """Wait for the turn at the start of the run if ``early``.

        Nodes that run in other processes are not announced here.
        """
        self._early = early
        self._stale: list[Path] = []
        self._held = ExitStack()
        self._waiting = True

    def __enter__(self) -> Self:
        """Start without a turn."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Give the turn back."""
        self._held.close()

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[str, Any]) -> None:
        """Note the tables that this run makes again."""
        evaluated = pipeline.only_nodes_with_tags(EVALUATE)
        places = (file_of(catalog.get(name)) for name in evaluated.all_outputs())
        self._stale = [place for place in places if place is not None]
        if self._early and pipeline.only_nodes_with_tags(EVALUATE, REPORT).nodes:
            self._take(catalog)
            self._clear()

    @hook_impl
    def before_node_run(self, node: Node, catalog: CatalogProtocol[str, Any]) -> None:
        """Take the turn before a node that evaluates or reports."""
        if node.tags & {EVALUATE, REPORT}:
            self._take(catalog)

    @hook_impl
    def before_dataset_saved(self, node: Node) -> None:
        """Delete the tables of an earlier evaluation."""
        if EVALUATE in node.tags:
            self._clear()

    def _take(self, catalog: CatalogProtocol[str, Any]) -> None:
        if not self._waiting:
            return
        folder = report_folder(catalog)
        lock, purpose = folder.with_name(f"{folder.name}.lock"), f"at the tables of {folder.name}"
        try:
            self._held.enter_context(held(lock, purpose))
        except ClaimedError:
            logger.info("waiting for another run, which is %s", purpose)
            self._held.enter_context(held(lock, purpose, wait=True))
        self._waiting = False

    def _clear(self) -> None:
        for table in self._stale:
            table.unlink(missing_ok=True)
        self._stale = []
