"""The parameters that the pipelines are built from, as the files and the command line give them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from kedro.config import AbstractConfigLoader, MissingConfigException
from kedro.framework.project import settings
from kedro.utils import find_kedro_project

from sakd.foundation.errors import UserError
from sakd.foundation.tables import Table
from sakd.networks.variants import slug
from sakd.project.errors import one_line
from sakd.project.loader import Loader
from sakd.reporting import Origin
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.splits import splits_of
from sakd.study.sweeps import rows_of

_active: Parameters | None = None


def activate(parameters: Parameters | None) -> None:
    """Build pipelines from ``parameters`` from now on; from the files if None."""
    global _active  # noqa: PLW0603 - Kedro asks for pipelines without saying for which run
    _active = parameters


def active_parameters() -> Parameters:
    """Return the parameters of the session or, without one (``kedro registry list``), of the files.

    Raises:
        UserError: The files are wrong.
    """
    if _active is not None:
        return _active
    root = project_folder()
    environment = os.environ.get("KEDRO_ENV", settings.CONFIG_LOADER_ARGS["default_run_env"])
    return read_parameters(loader_of(root, environment), root)


def environment_of(named: str | None) -> str:
    """Name the environment of a run: the base where none was named, and Kedro has its default."""
    arguments: Mapping[str, str] = settings.CONFIG_LOADER_ARGS
    return arguments["base_env"] if named in (None, arguments["default_run_env"]) else named


def project_folder() -> Path:
    """Find the project that the working directory is in."""
    return find_kedro_project(Path.cwd()) or Path.cwd()


def loader_of(root: Path, environment: str) -> Loader:
    """Make a loader of the files of ``environment`` in the project in ``root``."""
    source = str(root / settings.CONF_SOURCE)
    return Loader(source, env=environment, **settings.CONFIG_LOADER_ARGS)


def read_parameters(loader: AbstractConfigLoader, root: Path) -> Parameters:
    """Read, type and check the parameters of an environment; paths are relative to ``root``.

    Raises:
        UserError: There is no such folder or environment, or a key or value is wrong.
    """
    return _placed(parse_parameters(_raw(loader)), root)


def for_nodes(parameters: Parameters) -> dict[str, Any]:
    """Name the parameters as nodes ask for them.

    A node finds one of them as ``params:data``, all of them as ``params:study``, a teacher as
    ``params:teachers.NETWORK`` and the cells of a row as ``params:rows.ROW``. A run puts its
    command into ``params:origin``. Nodes that train or that look for trained cells take
    ``params:study``: the key of a cell depends on most of it.

    Where every seed has its own split, those of a split begin with ``params:splits.SPLIT.``.
    """
    named = {**_named(parameters), "origin": Origin()}
    parts = {split.data: _named(split.parameters) for split in splits_of(parameters)}
    return named if parameters.data.shared else {**named, "splits": parts}


def _named(parameters: Parameters) -> dict[str, Any]:
    typed = {field.name: getattr(parameters, field.name) for field in fields(parameters)}
    rows = {row.id: row for row in rows_of(parameters)}
    teachers = {slug(name): parameters.teacher_of(name) for name in parameters.grid.teachers()}
    return {**typed, "study": parameters, "rows": rows, "teachers": teachers}


def _raw(loader: AbstractConfigLoader) -> Mapping[str, Any]:
    source, environment = Path(loader.conf_source), loader.env or "local"
    known = sorted(path.name for path in source.iterdir() if path.is_dir())
    _ = Table("environment", dict.fromkeys(known))[environment]  # and not a folder elsewhere
    try:
        parameters: Mapping[str, Any] = loader["parameters"]
    except MissingConfigException as error:
        raise UserError(one_line(error)) from error
    return parameters


def _placed(parameters: Parameters, root: Path) -> Parameters:
    """Have relative paths start from ``root``, also where the command is typed elsewhere."""

    def place(path: Path) -> Path:
        fixed = path.is_absolute() or str(path).startswith("~")
        return path if fixed else Path(os.path.relpath(root / path))

    def placed(paths: Mapping[str, Path]) -> Mapping[str, Path]:
        return {network: place(path) for network, path in paths.items()}

    data = parameters.data
    return replace(
        parameters,
        data=data if data.path is None else replace(data, path=place(data.path)),
        teacher_weights=placed(parameters.teacher_weights),
        teacher_start=placed(parameters.teacher_start),
        student_weights=placed(parameters.student_weights),
    )
