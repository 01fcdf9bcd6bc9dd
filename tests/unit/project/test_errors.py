"""Errors of hooks: one line where the user or the file system is meant."""

from __future__ import annotations

import errno

import click
import pytest

from sakd.foundation.errors import UserError
from sakd.project.errors import told_in_one_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("no such thing"), "no such thing"),
        (PermissionError(errno.EACCES, "not allowed", "reports/page"), "reports/page: not allowed"),
    ],
)
def test_errors_of_users_and_files_are_one_line(error: Exception, line: str) -> None:
    with pytest.raises(click.ClickException) as found, told_in_one_line():
        raise error
    assert found.value.message == line


@pytest.mark.parametrize("error", [BrokenPipeError(errno.EPIPE, "broken"), ValueError("a fault")])
def test_other_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)), told_in_one_line():
        raise error
