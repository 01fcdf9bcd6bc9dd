"""The parser of a command's arguments."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn, cast

from sakd.foundation.errors import UserError


class _Once(argparse.Action):
    """Keeps the value of an option, which may be given once."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,  # noqa: ANN401 - of any type
        option_string: str | None = None,
    ) -> None:
        """Keep the value.

        Raises:
            UserError: There is one already.
        """
        given = cast("Parser", parser).given
        if option_string is not None and self.dest in given:
            parser.error(f"{option_string} is given twice, and one would count: write it once")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class Parser(argparse.ArgumentParser):
    """A parser that reports a wrong command in one line.

    Attributes:
        given: What has been parsed.
    """

    def __init__(self, name: str, description: str | None) -> None:
        """Parse the arguments of ``sakd NAME``; the first line of ``description`` explains it."""
        first = (description or "").partition("\n")[0]
        super().__init__(prog=f"sakd {name}", description=first, allow_abbrev=False)
        self.given: set[str] = set()
        for action in (None, "store"):
            self.register("action", action, _Once)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print after the usage.

        Raises:
            UserError: Always.
        """
        raise UserError(f"{message}; see {self.prog} --help")
