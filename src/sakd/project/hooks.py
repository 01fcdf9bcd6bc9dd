"""The hooks of a Kedro run: checks and a plan before it, errors in one line, the table after it."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from multiprocessing import parent_process
from typing import Any

import click
import pandas as pd
import torch
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol, DatasetError
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from sakd.data import DataCard
from sakd.foundation.errors import UserError, require
from sakd.foundation.machine import require_compiler
from sakd.project.errors import one_line, told_in_one_line
from sakd.project.origin import ORIGIN
from sakd.project.parameters import active_parameters
from sakd.project.plan import plan_run
from sakd.project.reports import keep, place, report_folder
from sakd.reporting import console_table, outline
from sakd.study.splits import splits_of
from sakd.training.progress import Progress

TRAINING = frozenset({"teacher", "students"})
"""Tags of the nodes that train."""

SECONDS = 1.0
"""For timing steps before a run."""

logger = logging.getLogger(__name__)


class RunHooks:
    """Checks before a run, its plan, errors in one line, the table of results at its end."""

    def __init__(self) -> None:
        """Start without a run."""
        self._to_plan: Pipeline | None = None

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[str, Any]) -> None:
        """Stop before work starts if the device, raw data or the output of a stage is missing.

        Raises:
            ClickException: One is missing.
        """
        with told_in_one_line():
            check_run(pipeline, catalog)
        self._to_plan = pipeline
        Progress.whole = None

    @hook_impl
    def before_node_run(self, node: Node, catalog: CatalogProtocol[str, Any]) -> None:
        """Log, before the first training, how much there is to do and about how long it takes.

        The workers of a parallel run are silent: each would time steps while the others train.
        """
        pipeline = self._to_plan if parent_process() is None else None
        if pipeline is not None and node.tags & TRAINING:
            self._to_plan = None
            with suppress(UserError):  # reported by the node that cannot go on
                parameters = active_parameters()
                cells = catalog.load(f"{parameters.data.slug}-cells")
                plan = plan_run(pipeline, catalog, parameters, cells, SECONDS)
                logger.info("%s", plan.summary())
                Progress.whole = plan.whole()

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Report in one line, without a traceback, what the user can mend.

        Raises:
            ClickException: ``error`` is a `UserError`.
        """
        if isinstance(error, UserError):
            raise click.ClickException(f"{node.name}: {error}") from error

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Report in one line that a file is missing or damaged, or the disk full or read-only.

        Raises:
            ClickException: ``error`` comes from a file.
        """
        if isinstance(error, DatasetError | OSError):
            raise click.ClickException(one_line(error)) from error

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[str, Any]) -> None:
        """Print the table of results and the place of the report, if this run has made them."""
        parameters, made = active_parameters(), pipeline.all_outputs()
        data, (split, *_) = parameters.data.slug, splits_of(parameters)
        with told_in_one_line():
            ending = conclude(catalog) if f"{data}-report_html" in made else ""
        if f"{data}-results" in made:
            with told_in_one_line():
                card = DataCard.from_json(catalog.load(f"{split.data}-card"))
                parts = ("results", "history", "predictions")
                announce(card, *(catalog.load(f"{data}-{part}") for part in parts), ending=ending)
        else:
            sys.stdout.write(ending)


def check_run(pipeline: Pipeline, catalog: CatalogProtocol[str, Any]) -> None:
    """Check what a run of ``pipeline`` needs, and set the number of threads.

    Raises:
        UserError: The device, raw data or the output of an earlier stage is missing.
    """
    parameters = active_parameters()
    parameters.find_device()
    if parameters.teacher.compile or parameters.student.compile:
        require_compiler()
    if any(split.given("data") in pipeline.inputs() for split in splits_of(parameters)):
        parameters.data.check()
    if f"{parameters.data.slug}-cells" in pipeline.inputs():
        parameters.check_files()
    missing = sorted(name for name in pipeline.inputs() if not catalog.exists(name))
    listed = ", ".join(missing)
    require(not missing, f"not there yet: {listed}; run the stages before, or all of them")
    if parameters.threads is not None:
        torch.set_num_threads(parameters.threads)


def conclude(catalog: CatalogProtocol[str, Any]) -> str:
    """Keep a copy of the report; say which study it is of, and where both are."""
    parameters, folder = active_parameters(), report_folder(catalog)
    split = next(iter(splits_of(parameters)))
    card = DataCard.from_json(catalog.load(f"{split.data}-card"))
    origin = replace(catalog.load(ORIGIN), settings=asdict(parameters))
    page, copy = place(folder / "report.html"), place(keep(folder))
    return f"study: {outline(origin, card)}\nreport: {page} (a copy stays in {copy})\n"


def announce(
    card: DataCard,
    results: pd.DataFrame,
    history: pd.DataFrame,
    predictions: pd.DataFrame,
    *,
    ending: str = "",
) -> None:
    """Print the table of ``results`` on the data of ``card``, the verdicts, and ``ending``."""
    margin = active_parameters().report.margin / 100
    found = {"history": history, "predictions": predictions}
    sys.stdout.write(f"\n{console_table(results, card, margin=margin, **found)}\n")
    sys.stdout.write(f"\n{ending}" if ending else "")
