"""The command ``sakd status``, with the options of ``kedro run`` that choose a study."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from sakd.foundation.determinism import expect_deterministic
from sakd.pipelines.status import find_status
from sakd.project.cleaning import SHARED
from sakd.project.commands import invoke, open_catalog
from sakd.project.looking import cells_of, store_option
from sakd.project.options import Once, readable
from sakd.project.parameters import active_parameters
from sakd.project.plan import whole_scope
from sakd.study.splits import splits_of


def main(arguments: Sequence[str]) -> None:
    """Run the command with ``arguments``.

    Raises:
        UserError: An option, a name or a value is wrong, or a file cannot be read.
    """
    invoke(command, arguments)


def status(
    *,
    env: str | None,
    params: dict[str, Any],
    conf_source: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Tell what is done of a study, what runs, what failed and what is missing.

    The study is that of the environment and the parameters that are named. The time that is left
    is estimated from the trainings that are done. Nothing is trained or written.
    """
    catalog, parameters = open_catalog(env, params, conf_source), active_parameters()
    data = parameters.data.slug
    if parameters.deterministic:
        expect_deterministic()
    scopes = [whole_scope(catalog, split) for split in splits_of(parameters)]
    with cells_of(catalog, store) as cells:
        found = find_status(data, scopes, cells)
    click.echo(json.dumps(found.to_json(), indent=2) if as_json else found.text(), nl=as_json)


command = Once(
    "status",
    callback=status,
    help=status.__doc__,
    params=[
        *readable(option for option in kedro_run.params if option.name in SHARED),
        store_option(),
        click.Option(["--json", "as_json"], is_flag=True, help="Print all of it as JSON."),
    ],
)
