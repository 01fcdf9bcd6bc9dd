"""Kedro's session of the project: what a run names is looked up before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.pipeline import Pipeline
from kedro.runner import ThreadRunner

from sakd.foundation.errors import UserError, require
from sakd.foundation.tables import Table
from sakd.project.hooks import told_in_one_line

KINDS = {
    "node_names": "node",
    "from_nodes": "node",
    "to_nodes": "node",
    "tags": "tag",
    "from_inputs": "dataset",
    "to_outputs": "dataset",
}
"""What the arguments of a run that choose some of its nodes name."""

THREADS = (
    "ThreadRunner: trainings in threads draw from one random state and could not be repeated; use "
    "SequentialRunner, or ParallelRunner"
)


class Session(KedroSession):
    """A session that tells in one line which name of ``kedro run`` there is not."""

    _chosen: Mapping[str, Any] = {}

    def run(self, *arguments: Any, **chosen: Any) -> dict[str, Any]:  # noqa: ANN401 - Kedro's
        """Run what is ``chosen``, see `KedroSession.run`."""
        self._chosen = chosen
        return super().run(*arguments, **chosen)

    def load_context(self) -> KedroContext:
        """The context, whose parameters the pipelines are built from.

        Raises:
            ClickException: the parameters are wrong, or the run names what there is not.
        """
        context = super().load_context()
        with told_in_one_line():
            look_up(self._chosen, pipelines)
        return context


def look_up(chosen: Mapping[str, Any], registered: Mapping[str, Pipeline]) -> None:
    """Find every pipeline, node, tag and dataset that a run names.

    Raises:
        UserError: one is unknown, no node is left, or trainings would run in threads.
    """
    require(not isinstance(chosen.get("runner"), ThreadRunner), THREADS)
    table = Table("pipeline", registered)
    parts = [table[name] for name in chosen.get("pipeline_names") or ["__default__"]]
    pipeline = sum(parts, Pipeline([]))
    known = {
        "node": [node.name for node in pipeline.nodes],
        "tag": sorted({tag for node in pipeline.nodes for tag in node.tags}),
        "dataset": sorted(pipeline.datasets()),
    }
    named = {option: tuple(chosen.get(option) or ()) for option in KINDS}
    for option, names in named.items():
        kind = KINDS[option]
        for name in names:
            _ = Table(kind, dict.fromkeys(known[kind]))[name]
    try:
        pipeline.filter(**named, node_namespaces=chosen.get("namespaces"))
    except ValueError as error:
        raise UserError(str(error)) from error
