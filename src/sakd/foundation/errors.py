"""The exceptions that are meant for users."""

from __future__ import annotations

from traceback import extract_tb

from sakd.foundation.text import printable


class UserError(ValueError):
    """An error that the user can mend.

    The message is one line: the value, what is allowed, and the remedy. Names and values of others
    in it cannot break the line, or control the terminal.
    """

    def __init__(self, message: object = "") -> None:
        """Say what is wrong."""
        super().__init__(printable(message))


class DamagedError(UserError):
    """A file is not what was written."""


def raised_at(error: BaseException) -> str:
    """Name the line of code that has raised ``error``."""
    last = extract_tb(error.__traceback__)[-1]
    return f"line {last.lineno} of {last.filename}"


def require(fine: bool, complaint: str) -> None:
    """Raise `UserError` with ``complaint`` unless ``fine``.

    Raises:
        UserError: It is not ``fine``.
    """
    if not fine:
        raise UserError(complaint)


def require_positive(**values: float) -> None:
    """Raise `UserError` for the first of the named ``values`` that is not above 0.

    Raises:
        UserError: A value is 0 or below.
    """
    for name, value in values.items():
        require(value > 0, f"{name} must be above 0, got {value}")


def require_not_negative(**values: float) -> None:
    """Raise `UserError` for the first of the named ``values`` that is below 0.

    Raises:
        UserError: A value is below 0.
    """
    for name, value in values.items():
        require(value >= 0, f"{name} must not be negative: {value}")
