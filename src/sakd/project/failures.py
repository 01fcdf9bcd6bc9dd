"""The cells that failed, whichever stages of a study have run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from sakd.foundation.errors import require
from sakd.foundation.vocabulary import DONE
from sakd.project.errors import told_in_one_line

RECORDS, TABLES = "-records", ("-evaluation", "-results")
"""Endings of the datasets that say what became of cells: of those of a row, of those of a grid."""


class FailureHooks:
    """Ends a run with an error if cells have failed, once the others are done."""

    def __init__(self) -> None:
        """Start without a run."""
        self._records: dict[str, Any] = {}

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Forget an earlier run."""
        self._records = {}

    @hook_impl
    def after_node_run(self, outputs: Mapping[str, Any]) -> None:
        """Remember the records of a row: another run may write its own over them."""
        self._records |= {name: made for name, made in outputs.items() if name.endswith(RECORDS)}

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[str, Any]) -> None:
        """Name the cells that failed, after the table of results.

        Raises:
            ClickException: Cells failed.
        """
        cells = dict(
            pair for name in pipeline.all_outputs() for pair in self._outcomes(name, catalog)
        )
        failed = sorted(cell for cell, status in cells.items() if status != DONE)
        complaint = f"{len(failed)} of {len(cells)} cells failed, see the log"
        with told_in_one_line():
            require(not failed, f"{complaint}: {', '.join(failed)}")

    def _outcomes(self, name: str, catalog: CatalogProtocol[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield cells of a dataset with their status; none of a dataset of another kind."""
        if name.endswith(RECORDS):  # not heard of where nodes ran in other processes
            records = self._records.get(name) or catalog.load(name)
            yield from ((cell, record["status"]) for cell, record in records.items())
        elif name.endswith(TABLES):
            table = catalog.load(name)
            yield from zip(table["cell"], table["status"], strict=True)
