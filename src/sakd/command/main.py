"""The command ``sakd``: find the command that is named, and run it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import cast

from sakd import __version__
from sakd.command.table import COMMANDS, Command
from sakd.foundation.errors import UserError
from sakd.foundation.extras import require_extra

HELP, VERSION = ("--help", "-h"), ("--version",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, or 1 for what the user can mend."""
    try:
        _start(*(sys.argv[1:] if arguments is None else arguments))
    except UserError as error:
        sys.stderr.write(f"sakd: {error}\n")
        return 1
    return 0


def overview() -> str:
    """List the commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {entry.purpose}" for name, entry in COMMANDS.items()]
    return "\n".join(
        [
            "usage: sakd COMMAND [OPTIONS]",
            "",
            *lines,
            "",
            "sakd COMMAND --help explains a command; sakd --version shows the version.",
            "",
        ]
    )


def _start(name: str = HELP[0], *arguments: str) -> None:
    if name in HELP:
        sys.stdout.write(overview())
    elif name in VERSION:
        sys.stdout.write(f"sakd {__version__}\n")
    else:
        command(name).run(arguments)


def command(name: str) -> Command:
    """Import the module of a command.

    Raises:
        UserError: There is no such command, or packages are missing that it needs.
    """
    if (extra := COMMANDS[name].extra) is not None:
        require_extra(extra)
    return cast("Command", import_module(f"{__package__}.{name}"))
