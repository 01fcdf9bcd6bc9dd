"""The parameters that the pipelines are built from."""

from __future__ import annotations

import os
from pathlib import Path

from kedro.config import OmegaConfigLoader
from kedro.framework.project import settings as project
from kedro.utils import find_kedro_project

from sakd.study.parameters import Parameters, parse_parameters

_active: Parameters | None = None


def activate(parameters: Parameters) -> None:
    """Build pipelines from ``parameters`` from now on."""
    global _active  # noqa: PLW0603 - Kedro asks for pipelines without saying for which run
    _active = parameters


def active_parameters() -> Parameters:
    """The parameters of the session, or where there is none (``kedro registry list``) of the files.

    Raises:
        UserError: the files are wrong.
    """
    return _active or parse_parameters(_from_files())


def _from_files() -> dict[str, object]:
    arguments = dict(project.CONFIG_LOADER_ARGS)
    environment = os.environ.get("KEDRO_ENV", arguments["default_run_env"])
    root = find_kedro_project(Path.cwd()) or Path.cwd()
    loader = OmegaConfigLoader(str(root / project.CONF_SOURCE), env=environment, **arguments)
    parameters: dict[str, object] = loader["parameters"]
    return parameters
