"""Kedro's commands, with a check before them of names on which they would end in a traceback."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import copy
from types import MappingProxyType
from typing import Any

import click
import kedro.runner
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.runner import AbstractRunner
from kedro.utils import load_obj
from kedro_viz.launchers.cli.build import build
from kedro_viz.launchers.cli.main import viz
from kedro_viz.launchers.cli.run import run as kedro_viz_run

from sakd.foundation.errors import UserError, require
from sakd.foundation.options import require_type
from sakd.foundation.tables import Table
from sakd.project.cluster.runner import RayRunner
from sakd.project.errors import told_in_one_line
from sakd.project.signals import stopped_by_signals

Check = Callable[..., Mapping[str, object] | None]
OWN: Mapping[str, type[AbstractRunner]] = {"RayRunner": RayRunner}
RUNNERS: Table[type[AbstractRunner]] = Table(
    "runner",
    {
        **{
            name: getattr(kedro.runner, name)
            for name in kedro.runner.__all__
            if name.endswith("lRunner")
        },
        **OWN,
    },
)


def look_up_runner(
    *,
    runner: str | None = None,
    runner_params: Mapping[str, object] = MappingProxyType({}),
    **_others: object,
) -> dict[str, object]:
    """Find the runner that ``kedro run --runner`` names, and check its ``--runner-params``.

    Returns:
        The option with which Kedro finds a runner of the project too.

    Raises:
        UserError: It does not exist, or does not take them.
    """
    kind = runner_called(runner or "SequentialRunner")
    known = inspect.signature(kind, eval_str=True).parameters
    for name, value in runner_params.items():
        require(
            name in known,
            f"--runner-params: {kind.__name__} has no parameter {name!r}; known: "
            f"{', '.join(known)}",
        )
        require_type(f"--runner-params {name}", value, known[name].annotation)
    workers = runner_params.get("max_workers")
    fine = not isinstance(workers, int) or workers > 0
    require(fine, f"--runner-params: max_workers must be 1 or more, got {workers}")
    return {"runner": f"{kind.__module__}.{kind.__name__}"} if runner in OWN else {}


def runner_called(name: str) -> type[AbstractRunner]:
    """Give the class of the runner that Kedro calls ``name``.

    Raises:
        UserError: It does not exist.
    """
    if "." not in name:
        return RUNNERS[name]
    try:
        found = load_obj(name)
    except (ImportError, AttributeError):
        found = None
    if isinstance(found, type) and issubclass(found, AbstractRunner):
        return found
    raise UserError(
        f"{name!r} is not a runner: name one of {', '.join(RUNNERS)}, or package.module.Class"
    )


def look_up_graph(
    *,
    env: str | None = None,
    params: dict[str, Any] | None = None,
    pipeline: str | None = None,
    load_file: str | None = None,
    **_others: object,
) -> None:
    """Build the pipelines that kedro-viz is to show, which it does in a process of its own.

    Raises:
        ClickException: The environment, a parameter or the pipeline is wrong.
    """
    if load_file is None:
        KedroSession.create(save_on_close=False, env=env, runtime_params=params).load_context()
        _ = pipelines if pipeline is None else Table("pipeline", dict(pipelines))[pipeline]


def checked(command: click.Command, check: Check) -> click.Command:
    """Copy ``command`` and call ``check`` before it, with the same options, which it may change."""
    start = command.callback

    def run_checked(**given: object) -> object:
        with told_in_one_line():
            given |= check(**given) or {}
        with stopped_by_signals():
            return start(**given) if start is not None else None

    checked_command = copy(command)
    checked_command.callback = run_checked
    return checked_command


@click.group(name="sakd")
def cli() -> None:
    """Commands of the project, which go before Kedro's own."""


run = checked(kedro_run, look_up_runner)
cli.add_command(run)

# kedro-viz is a plugin, and the commands of plugins go before those of projects.
viz_run, viz_build = checked(kedro_viz_run, look_up_graph), checked(build, look_up_graph)
viz.lazy_subcommands.update(run="sakd.cli.viz_run", build="sakd.cli.viz_build")
