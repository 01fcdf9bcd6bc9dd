"""Errors as the commands show them: one line, and exit code 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from sakd.foundation.errors import UserError, require
from sakd.foundation.text import printable


def one_line(error: BaseException) -> str:
    """Join the lines of an error's message."""
    return printable(" ".join(str(error).split()))


def check_conf(source: str | Path) -> None:
    """Look for the folder of configuration files, which a package from a wheel does not bring.

    Nothing is fetched or unpacked: the files name code that is run.

    Raises:
        UserError: It is not there, is elsewhere, or still an archive, as ``kedro package`` makes.
    """
    far = f"{source} is not a folder of this machine: copy it here, and name that"
    require("://" not in str(source), far)
    folder = Path(source)
    packed = f"{folder} is a file: unpack it, and name the folder conf in it with --conf-source"
    require(not folder.is_file(), packed)
    remedy = "run in a clone of the project, or name its folder conf with --conf-source"
    require(folder.is_dir(), f"there is no folder {folder}: {remedy}")


def in_one_line(error: click.ClickException, command: str) -> click.ClickException:
    """Give an error without the usage that click prints above it, and without Kedro's advice.

    Args:
        error: The error.
        command: The command whose help explains its options.
    """
    said = printable(" ".join(error.format_message().split()))
    if isinstance(error, click.UsageError):
        return click.UsageError(f"{said.removesuffix('.')}; see {command} --help")
    return click.ClickException(said)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Hand errors of users and of files to click, which prints one line and ends with exit code 1.

    Raises:
        ClickException: In place of a `UserError`, or of an `OSError` that names its file.
    """
    try:
        yield
    except UserError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        if error.filename is None:
            raise
        raise click.ClickException(printable(f"{error.filename}: {error.strerror}")) from error
