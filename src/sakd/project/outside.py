"""Kedro's command ``run`` where there is no Kedro project.

Kedro imports this module at every start, in other projects too, so it loads nothing that is slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from sakd.foundation.errors import require
from sakd.foundation.extras import require_extra
from sakd.project.errors import told_in_one_line

NAMED = ("--conf-source", "--config", "-c", "--help", "-h")
"""Options with which a run needs no folder ``conf`` here."""

UNHEARD = ("kedro-telemetry",)
"""Plugins that are not told of a run; in a project its settings say so."""


class Outside(click.Group):
    """Commands that exist only outside of Kedro projects, whose own they never hide.

    In a project the context has what Kedro knows of it as its object. Usage statistics look
    commands up without a context, and find none here.
    """

    def list_commands(self, ctx: click.Context | None) -> list[str]:
        """Name the commands; none in a project."""
        return super().list_commands(ctx) if ctx is not None and ctx.obj is None else []

    def get_command(self, ctx: click.Context | None, cmd_name: str) -> click.Command | None:
        """Find a command; None in a project."""
        return self.commands[cmd_name] if cmd_name in self.list_commands(ctx) else None


commands = Outside(name="kedro")


@commands.command(add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run(arguments: Sequence[str]) -> None:
    """Run a pipeline of sakd, with its folder conf as --conf-source."""
    # Imported late: nothing of Kedro is needed in projects.
    hooks = import_module("kedro.framework.cli.hooks").get_cli_hook_manager()
    for plugin in UNHEARD:
        hooks.set_blocked(plugin)
    with told_in_one_line():
        require_extra("project")
        found = f"{Path.cwd()} is in no Kedro project, so it is not known what to run"
        remedy = "kedro run --conf-source DIR runs sakd with its folder conf, in any folder"
        require(any(given.startswith(NAMED) for given in arguments), f"{found}: {remedy}")
    import_module("sakd.__main__").main(arguments, name="kedro run")
