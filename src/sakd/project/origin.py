"""The command of a run, for its report."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kedro.config import AbstractConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import settings
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from sakd.foundation.errors import UserError
from sakd.project.given import written
from sakd.project.loader import Loader
from sakd.project.parameters import environment_of, read_parameters
from sakd.project.reports import report_folder
from sakd.reporting import Origin

ORIGIN = "params:origin"

OPTIONS = {
    "pipeline_names": "--pipelines",
    "tags": "--tags",
    "node_names": "--nodes",
    "from_nodes": "--from-nodes",
    "to_nodes": "--to-nodes",
    "from_inputs": "--from-inputs",
    "to_outputs": "--to-outputs",
    "namespaces": "--namespaces",
}
"""The choices of a run, with the options of ``kedro run``."""

USUAL_RUNNER = "SequentialRunner"


class OriginHooks:
    """Puts the command of a run where the node that writes the report finds it."""

    def __init__(self) -> None:
        """Start without a project."""
        self._loader: AbstractConfigLoader | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where the configuration files are."""
        self._loader = context.config_loader

    @hook_impl
    def before_pipeline_run(
        self,
        run_params: Mapping[str, Any],
        pipeline: Pipeline,
        catalog: CatalogProtocol[str, Any],
    ) -> None:
        """Give the catalog the command, the environment and the settings of ``conf/base``."""
        if ORIGIN in pipeline.inputs():
            origin = Origin(
                base=self._base(root := Path(run_params["project_path"])),
                environment=environment_of(run_params["env"]),
                command=command_of(run_params),
                place=os.path.relpath(root, report_folder(catalog)),
            )
            catalog.save(ORIGIN, origin)

    def _base(self, root: Path) -> dict[str, Any]:
        """Read the parameters of ``conf/base`` alone; nothing where they are no study alone."""
        if self._loader is None:
            return {}
        arguments = settings.CONFIG_LOADER_ARGS
        base = Loader(self._loader.conf_source, env=arguments["base_env"], **arguments)
        with suppress(UserError):
            return asdict(read_parameters(base, root))
        return {}


def command_of(chosen: Mapping[str, Any]) -> str:
    """Write what a run was asked for as a ``kedro run`` that asks for the same.

    Args:
        chosen: What Kedro gives the hooks as ``run_params``.
    """
    parts = ["kedro", "run"]
    if chosen.get("env"):
        parts += ["--env", chosen["env"]]
    for name, option in OPTIONS.items():
        if named := chosen.get(name):
            parts += [option, ",".join(named)]
    described = str(chosen.get("runner", USUAL_RUNNER)).partition(" object at ")[0]
    if (runner := described.rpartition(".")[-1]) != USUAL_RUNNER:
        parts += ["--runner", runner]
    if given := written(chosen.get("runtime_params") or {}):
        parts += ["--params", given]
    return shlex.join(parts)
