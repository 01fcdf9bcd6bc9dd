"""Kedro's session of the project."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import BrokenExecutor
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import DatasetError
from kedro.pipeline import Pipeline
from kedro.runner import ParallelRunner, ThreadRunner

from sakd.foundation.errors import UserError, require
from sakd.foundation.tables import Table
from sakd.project.errors import one_line, told_in_one_line
from sakd.project.turn import Turn

THREADS = (
    "ThreadRunner: trainings in threads draw from one random state and could not be repeated; use "
    "SequentialRunner, or ParallelRunner"
)

EXIT = (
    "code from outside the project has called sys.exit in the middle of the run: have it raise an "
    "error instead"
)

KILLED = (
    "a process of the run was killed from outside, perhaps for lack of memory: run again, with "
    "fewer at a time; what is finished stays, and the rest goes on from its checkpoints"
)


class Session(KedroSession):
    """A session that reports an unknown name in one line, and waits for its turn."""

    def run(self, *arguments: Any, **chosen: Any) -> dict[str, Any]:  # noqa: ANN401 - Kedro's
        """Run what is ``chosen``, see `KedroSession.run`.

        Raises:
            ClickException: A name is unknown, no node is left, trainings would run in threads, a
                process of the run was killed, or code that was called has ended Python.
        """
        with told_in_one_line():
            require(not isinstance(chosen.get("runner"), ThreadRunner), THREADS)
            turn = Turn(early=isinstance(chosen.get("runner"), ParallelRunner))
            self._hook_manager.register(self)
            self._hook_manager.register(turn)
            self._started = False
            try:
                with turn:
                    return super().run(*arguments, **chosen)
            except SystemExit as error:
                require(bool(error.code), EXIT)  # or it would pass for a run that ended well
                raise
            except BrokenExecutor as error:
                raise UserError(KILLED) from error
            except DatasetError as error:
                if self._started:
                    raise
                raise UserError(one_line(error)) from error  # the catalog is wrong
            except ValueError as error:
                if self._started or isinstance(error, UserError):
                    raise
                look_up(chosen, pipelines)
                raise UserError(one_line(error)) from error

    @hook_impl
    def before_pipeline_run(self, run_params: Mapping[str, Any]) -> None:
        """Look up the tags too: Kedro runs what has any of them, and passes over a wrong one."""
        with told_in_one_line():
            look_up(run_params, pipelines)
        self._started = True


def look_up(chosen: Mapping[str, Any], registered: Mapping[str, Pipeline]) -> None:
    """Find every pipeline, node, tag and dataset that a run names.

    Raises:
        UserError: One is unknown.
    """
    table = Table("pipeline", registered)
    pipeline = Pipeline([table[name] for name in chosen.get("pipeline_names") or ["__default__"]])
    nodes = {node.name for node in pipeline.nodes}
    modules = {module for node in pipeline.nodes for module in node.namespace_prefixes if module}
    known = {
        "node": {"node_names": nodes, "from_nodes": nodes, "to_nodes": nodes},
        "namespace": {"namespaces": modules},
        "tag": {"tags": {tag for node in pipeline.nodes for tag in node.tags}},
        "dataset": dict.fromkeys(("from_inputs", "to_outputs"), pipeline.datasets()),
    }
    for kind, options in known.items():
        for option, names in options.items():
            for name in chosen.get(option) or ():
                _ = Table(kind, dict.fromkeys(sorted(names)))[name]
