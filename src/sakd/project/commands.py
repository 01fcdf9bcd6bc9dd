"""Commands of ``sakd`` that take the options of ``kedro run``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from kedro.framework import project
from kedro.framework.session import KedroSession
from kedro.io import DatasetError

from sakd.foundation.errors import UserError
from sakd.project.errors import in_one_line, one_line
from sakd.project.plan import Catalog


def invoke(command: click.Command, arguments: Sequence[str]) -> None:
    """Run ``command`` with ``arguments``.

    Raises:
        UserError: An option, a name or a value is wrong, or a file cannot be read.
    """
    project.configure_project(__name__.partition(".")[0])
    name = f"sakd {command.name}"
    try:
        command.main(list(arguments), prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        raise UserError(in_one_line(error, name).message) from error
    except (DatasetError, OSError) as error:
        raise UserError(one_line(error)) from error


def open_catalog(env: str | None, params: dict[str, Any], conf_source: str | None) -> Catalog:
    """Read the parameters of a study, which become the active ones, and give its catalog.

    Args:
        env: The environment; None for the project's own.
        params: Parameters of the command line.
        conf_source: The folder of configuration files; None for the project's own.

    Raises:
        UserError: A parameter is wrong.
    """
    session = KedroSession.create(
        save_on_close=False, env=env, runtime_params=params, conf_source=conf_source
    )
    catalog: Catalog = session.load_context().catalog
    return catalog
