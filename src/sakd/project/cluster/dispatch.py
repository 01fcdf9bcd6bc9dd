"""Trainings of a run, each on some machine of a cluster as soon as what it needs is there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from click import ClickException
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pluggy import PluginManager

from sakd.foundation.errors import UserError, require
from sakd.foundation.locks import ClaimedError
from sakd.project.cluster.journal import show
from sakd.project.errors import one_line
from sakd.training.progress import Progress

PAUSE = 5.0
"""Seconds until a row is offered again that another run was training."""

POLL = 0.5
"""Seconds between two looks at the log of the machines."""

logger = logging.getLogger(__name__)


@dataclass
class Dispatch:
    """The nodes of a pipeline that train, as tasks of a cluster.

    Attributes:
        ray: The module.
        start: Starts a node somewhere, and gives the reference of its outputs.
        journal: The log of the machines.
        catalog: The data of the run.
        hooks: The hooks of the run.
        run_id: Its id.
    """

    ray: Any
    start: Callable[[Node], Any]
    journal: Any
    catalog: CatalogProtocol[str, Any]
    hooks: PluginManager
    run_id: str | None
    _flying: dict[Any, Node] = field(default_factory=dict)
    _waiting: dict[Node, float] = field(default_factory=dict)
    _failures: dict[str, str] = field(default_factory=dict)
    _done: set[Node] = field(default_factory=set)

    def run(self, pipeline: Pipeline) -> None:
        """Run all nodes of ``pipeline``; the failure of one stops only those that need it.

        Raises:
            UserError: Some have failed; the others have ended.
        """
        needs = pipeline.node_dependencies
        self._waiting = dict.fromkeys(pipeline.nodes, 0.0)
        with Progress("cluster", len(self._waiting)) as progress:
            while self._launch(needs):
                self._show()
                for reference in self._finished():
                    if self._land(self._flying.pop(reference), reference):
                        progress.done()
        self._show()
        require(not self._failures, self._complaint(len(pipeline.nodes)))

    def _launch(self, needs: Mapping[Node, set[Node]]) -> bool:
        """Start what can be started; tell whether there is anything to wait for."""
        ready = [node for node in self._waiting if needs.get(node, set()) <= self._done]
        now = time.monotonic()
        for node in ready:
            if self._waiting[node] <= now:
                self.hooks.hook.before_node_run(
                    node=node, catalog=self.catalog, inputs={}, is_async=False, run_id=self.run_id
                )
                del self._waiting[node]
                self._flying[self.start(node)] = node
        return bool(ready or self._flying)

    def _finished(self) -> list[Any]:
        """Wait a moment for the end of some node."""
        if not self._flying:
            time.sleep(POLL)
            return []
        finished, _ = self.ray.wait(list(self._flying), timeout=POLL)
        return list(finished)

    def _land(self, node: Node, reference: Any) -> bool:  # noqa: ANN401 - Ray's
        """Take the outputs of ``node``; tell whether it has ended, well or not."""
        errors = self.ray.exceptions
        try:
            outputs = self.ray.get(reference)
        except ClaimedError:
            logger.info("%s: another run is training it; tried again later", node.name)
            self._waiting[node] = time.monotonic() + PAUSE
            return False
        except errors.RayTaskError as error:
            self._fail(node, error.cause, error)
        except errors.RayError as error:
            found = "its process was killed again and again; is there too little memory?"
            self._fail(node, UserError(found), error)
        else:
            self._save(node, outputs)
        return True

    def _fail(self, node: Node, reason: BaseException, error: BaseException) -> None:
        said = one_line(reason)
        trace = None if isinstance(reason, UserError) else error
        logger.error("%s failed: %s", node.name, said, exc_info=trace)
        self._failures[node.name] = said
        with suppress(ClickException):  # by which a hook ends a run on one machine
            self.hooks.hook.on_node_error(
                error=reason,
                node=node,
                catalog=self.catalog,
                inputs={},
                is_async=False,
                run_id=self.run_id,
            )

    def _save(self, node: Node, outputs: Mapping[str, Any]) -> None:
        self.hooks.hook.after_node_run(
            node=node,
            catalog=self.catalog,
            inputs={},
            outputs=outputs,
            is_async=False,
            run_id=self.run_id,
        )
        for name, data in outputs.items():
            self.hooks.hook.before_dataset_saved(dataset_name=name, data=data, node=node)
            self.catalog.save(name, data)
            self.hooks.hook.after_dataset_saved(dataset_name=name, data=data, node=node)
        self._done.add(node)

    def _show(self) -> None:
        show(self.ray.get(self.journal.take.remote()))

    def _complaint(self, total: int) -> str:
        left = f"; {len(self._waiting)} need them" if self._waiting else ""
        reasons = "; ".join(f"{name}: {reason}" for name, reason in self._failures.items())
        return f"{len(self._failures)} of {total} trainings failed{left}: {reasons}"
