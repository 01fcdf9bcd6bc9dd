"""Errors as click shows them: one line, and exit code 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from sakd.foundation.errors import UserError


def one_line(error: BaseException) -> str:
    """Join the lines of an error's message."""
    return " ".join(str(error).split())


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Hand a `UserError` to click, which prints it as one line and ends with exit code 1.

    Raises:
        ClickException: In place of a `UserError`.
    """
    try:
        yield
    except UserError as error:
        raise click.ClickException(str(error)) from error
