"""The command ``sakd plan``, with the options of ``kedro run``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from kedro.framework import project
from kedro.framework.cli.project import run as kedro_run
from kedro.pipeline import Pipeline

from sakd.foundation.errors import UserError
from sakd.foundation.machine import describe
from sakd.project.commands import invoke, open_catalog
from sakd.project.errors import one_line
from sakd.project.hooks import check_run
from sakd.project.looking import cells_of, store_option
from sakd.project.options import Once, readable
from sakd.project.parameters import active_parameters
from sakd.project.plan import plan_run
from sakd.project.session import look_up
from sakd.study.plan import Plan, duration

PAPER = ("cifar100", "tiny_imagenet")
"""The environments of arXiv:2205.02399."""

DISTILLERS = ("fitnet", "at", "sp", "vid", "rkd", "pkt", "cc", "nst", "ft", "crd")
"""The ten distillers of its tables; KD joins each."""

DEFAULT = "__default__"
"""The pipeline of a run that names none."""

LIMIT = 120.0
"""Seconds for the timing of steps."""

SHARED = ("env", "params", "conf_source", "pipelines", "tags", "node_names", "namespaces")
"""The options of ``kedro run`` that choose what is run."""


def main(arguments: Sequence[str]) -> None:
    """Run the command with ``arguments``.

    Raises:
        UserError: An option, a name or a value is wrong, a file cannot be read, or the run would
            stop at once.
    """
    invoke(command, arguments)


def plan(*, paper: bool, **chosen: Any) -> None:  # noqa: ANN401 - click's
    """Tell what a run would train, and about how long that would take on this machine.

    The options are those of ``kedro run``. A few steps of every kind of training are timed, or of
    some kinds where there are many; nothing is trained or written.
    """
    if not paper:
        _tell(**chosen)
        return
    if chosen["env"] is not None:
        raise click.UsageError("--paper stands for environments of its own: leave --env out")
    grid = {"distillers": "+".join(DISTILLERS)} | chosen["params"].get("grid", {})
    chosen["params"] = {**chosen["params"], "grid": grid}
    plans = [_tell(**{**chosen, "env": env}, limit=LIMIT / len(PAPER)) for env in PAPER]
    click.echo(f"{' and '.join(PAPER)}: about {duration(sum(each.seconds for each in plans))} here")


def _tell(
    env: str | None,
    params: dict[str, Any],
    conf_source: str | None,
    store: str | None,
    limit: float = LIMIT,
    **names: Sequence[str],
) -> Plan:
    """Plan the run of the nodes that are named, and print the plan."""
    catalog = open_catalog(env, params, conf_source)
    pipeline, parameters = _chosen(**names), active_parameters()
    check_run(pipeline, catalog)
    with cells_of(catalog, store) as cells:
        found = plan_run(pipeline, catalog, parameters, cells, limit)
    machine = describe(parameters.find_device())
    click.echo(f"{parameters.data.slug} on {machine}\n\n{found.table()}\n")
    for name, error in found.failures.items():
        click.echo(f"{name} would fail: {error}")
    click.echo(found.summary())
    return found


def _chosen(
    pipelines: Sequence[str],
    tags: Sequence[str],
    node_names: Sequence[str],
    namespaces: Sequence[str],
) -> Pipeline:
    """Give the nodes that a run of these names has.

    Raises:
        UserError: A name is unknown, or no node is left.
    """
    named = {
        "pipeline_names": pipelines,
        "tags": tags,
        "node_names": node_names,
        "namespaces": namespaces,
    }
    look_up(named, project.pipelines)
    whole = sum((project.pipelines[name] for name in pipelines or [DEFAULT]), Pipeline([]))
    try:
        return whole.filter(tags=tags, node_names=node_names, node_namespaces=namespaces)
    except ValueError as error:
        raise UserError(one_line(error)) from error


command = Once(
    "plan",
    callback=plan,
    help=plan.__doc__,
    params=[
        *readable(option for option in kedro_run.params if option.name in SHARED),
        store_option(),
        click.Option(["--paper"], is_flag=True, help="Plan both grids of the paper instead."),
    ],
)
