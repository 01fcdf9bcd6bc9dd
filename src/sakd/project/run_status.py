"""The outcome and the time of the last run of every node, which kedro-viz shows."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline.node import Node
from kedro_viz.integrations.kedro.hooks_utils import hash_node

from sakd.foundation.files import at_once, openable
from sakd.foundation.locks import held
from sakd.project.errors import one_line
from sakd.project.reports import file_of, report_folder

Catalog = CatalogProtocol[str, Any]
Event = dict[str, Any]

SHOWN = Path(".viz/kedro_pipeline_events.json")
"""The file that kedro-viz reads, in the folder of the project."""

logger = logging.getLogger(__name__)


class RunStatusHooks:
    """Writes what kedro-viz shows of runs, next to the folder of their report.

    Kedro-viz has a hook of its own. That hook forgets all other nodes at every run of one stage,
    and writes to one file for all environments.
    """

    def __init__(self) -> None:
        """Start without a run."""
        self._catalog: Catalog | None = None
        self._events: list[Event] = []
        self._started: dict[str, float] = {}

    @hook_impl(trylast=True)
    def before_pipeline_run(self, catalog: Catalog) -> None:
        """Start a run that no other hook has refused."""
        self._catalog, self._events = catalog, []
        self._add("before_pipeline_run")

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start a node."""
        self._started[node.name] = time.perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Note how long a node took."""
        seconds = time.perf_counter() - self._started[node.name]
        self._add("after_node_run", **_of(node), duration=seconds, status="success")

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Note the size of a dataset."""
        size = _size(self._catalog, dataset_name)
        known = {"dataset": dataset_name, "node_id": hash_node(dataset_name)}
        self._note("after_dataset_saved", **known, size=size, status="Available")

    @hook_impl(tryfirst=True)
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Note why a node failed, before other hooks end the run."""
        self._add("on_node_error", **_of(node), **_why(error))

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Note why the run failed."""
        self._add("on_pipeline_error", **_why(error))

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self) -> None:
        """Note that the run ended well."""
        self._add("after_pipeline_run")

    def _note(self, event: str, **known: object) -> None:
        self._events.append({"event": event, "timestamp": datetime.now(UTC).isoformat(), **known})

    def _add(self, event: str, **known: object) -> None:
        """Note an event and write all of this run; a run does not end for want of this file."""
        self._note(event, **known)
        if self._catalog is None:
            return
        path = status_file(self._catalog)
        try:
            with (
                held(path.with_suffix(".lock"), f"writing {path}", wait=True),
                at_once(path, lasting=False) as partial,
            ):
                partial.write_text(json.dumps(merged(read(path), self._events), indent=1))
        except OSError as error:
            logger.warning("kedro-viz will not show this run: %s", one_line(error))


def status_file(catalog: Catalog) -> Path:
    """Name the file of the runs of the study whose ``catalog`` it is."""
    folder = report_folder(catalog)
    return folder.with_name(f"{folder.name}.runs.json")


def read(path: Path) -> list[Event]:
    """Read the events of earlier runs; none if there are none, or the file is damaged."""
    with suppress(OSError, ValueError, RecursionError):
        events = json.loads(openable(path).read_text(encoding="utf-8"))
        if isinstance(events, list) and all(isinstance(event, dict) for event in events):
            return events
    return []


def merged(earlier: Iterable[Event], events: list[Event]) -> list[Event]:
    """Put ``events`` in the place of those of the same nodes and datasets in earlier runs."""
    again = [event.get("node_id") for event in events] + [None]
    return [event for event in earlier if event.get("node_id") not in again] + events


def show(catalog: Catalog, project: Path) -> None:
    """Have kedro-viz show the runs of the study whose ``catalog`` it is."""
    link = project / SHOWN
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(status_file(catalog).resolve())


def _of(node: Node) -> Event:
    return {"node": node.name, "node_id": hash_node(node)}


def _why(error: Exception) -> Event:
    return {"error": str(error), "traceback": "".join(traceback.format_exception(error))}


def _size(catalog: Catalog | None, name: str) -> int:
    dataset: Any = None if catalog is None else catalog.get(name)
    path = file_of(dataset)
    return path.stat().st_size if path is not None and path.is_file() else 0
