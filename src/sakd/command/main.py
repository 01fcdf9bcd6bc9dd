"""The command ``sakd``: find the command that is named, and run it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import cast

from sakd import __version__
from sakd.command.table import COMMANDS, Command
from sakd.foundation.errors import UserError
from sakd.foundation.extras import require_extra
from sakd.foundation.outputs import open_closed_outputs
from sakd.foundation.text import printable

HELP, VERSION = ("--help", "-h"), ("--version",)

ENDED = 128
"""The exit status of a command that a signal has ended is this plus the number of the signal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    Returns:
        0; 1 for what the user can mend; 130 after Ctrl-C; 141 if nobody reads the output.
    """
    open_closed_outputs()
    try:
        _start(*(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # as of `sakd list distillers | head`
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ENDED + signal.SIGPIPE
    except KeyboardInterrupt:
        sys.stderr.write("sakd: stopped by Ctrl-C\n")
        return ENDED + signal.SIGINT
    except (UserError, OSError) as error:
        sys.stderr.write(f"sakd: {_in_words(error)}\n")
        return 1
    return 0


def _in_words(error: UserError | OSError) -> str:
    """Name the file of an error of the operating system, and the reason."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        remedy = "name another place, or make this one usable"
        return printable(f"{error.filename}: {error.strerror}; {remedy}")
    return printable(error)


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
