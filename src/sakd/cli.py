"""Kedro's commands, with a check before them of names on which they would end in a traceback."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
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
from sakd.foundation.outputs import open_closed_outputs
from sakd.foundation.tables import Table
from sakd.project.closed import track_nobody
from sakd.project.cluster.runner import RayRunner
from sakd.project.errors import told_in_one_line
from sakd.project.options import OneLine, readable
from sakd.project.parallel import ParallelRunner
from sakd.project.run_status import show
from sakd.project.signals import stopped_by_signals

Check = Callable[..., Mapping[str, object] | None]

PAGE = Path("build/index.html")
"""The page of the site that ``kedro viz build`` makes in the working directory."""

OWN: Mapping[str, type[AbstractRunner]] = {
    "ParallelRunner": ParallelRunner,
    "RayRunner": RayRunner,
}
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
    own = OWN.get((runner or "").removeprefix("kedro.runner."))
    return {"runner": f"{own.__module__}.{own.__name__}"} if own is not None else {}


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

    It is to show the runs of the same environment, too, and to track nobody.

    Raises:
        ClickException: The environment, a parameter or the pipeline is wrong.
    """
    track_nobody()
    if load_file is None:
        session = KedroSession.create(save_on_close=False, env=env, runtime_params=params)
        context = session.load_context()
        show(context.catalog, context.project_path)
        _ = pipelines if pipeline is None else Table("pipeline", dict(pipelines))[pipeline]


def begin_site(**given: Any) -> None:  # noqa: ANN401 - the options of the command
    """Check what kedro-viz is to build, see `look_up_graph`, and delete an earlier page."""
    look_up_graph(**given)
    PAGE.unlink(missing_ok=True)


def require_site(**_given: object) -> None:
    """Check that kedro-viz has built its site: it ends well, too, when it gives up.

    Raises:
        UserError: It has not.
    """
    found = f"kedro viz build has not built {PAGE}, see its messages"
    require(PAGE.exists(), f"{found}; make lineage builds the site with no limit of time")


def checked(command: click.Command, check: Check, afterwards: Check | None = None) -> click.Command:
    """Give a command that calls ``check``, which may change options, before that of ``command``."""
    start = command.callback

    def run_checked(**given: object) -> object:
        open_closed_outputs()
        with told_in_one_line():
            given |= check(**given) or {}
        with stopped_by_signals():
            result = start(**given) if start is not None else None
        if afterwards is not None:
            with told_in_one_line():
                afterwards(**given)
        return result

    return OneLine(
        command.name,
        command.context_settings,
        run_checked,
        readable(command.params),
        command.help,
        short_help=command.short_help,
    )


@click.group(name="sakd")
def cli() -> None:
    """Commands of the project, which go before Kedro's own."""


run = checked(kedro_run, look_up_runner)
cli.add_command(run)

# kedro-viz is a plugin, and the commands of plugins go before those of projects.
viz_run = checked(kedro_viz_run, look_up_graph)
viz_build = checked(build, begin_site, require_site)
viz.lazy_subcommands.update(run="sakd.cli.viz_run", build="sakd.cli.viz_build")
