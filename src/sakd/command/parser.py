"""The parser of a command's arguments."""

from __future__ import annotations

import argparse
from typing import NoReturn

from sakd.foundation.errors import UserError


class Parser(argparse.ArgumentParser):
    """A parser that reports a wrong command in one line."""

    def __init__(self, name: str, description: str | None) -> None:
        """Parse the arguments of ``sakd NAME``; the first line of ``description`` explains it."""
        first = (description or "").partition("\n")[0]
        super().__init__(prog=f"sakd {name}", description=first, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print after the usage.

        Raises:
            UserError: Always.
        """
        raise UserError(f"{message}; see {self.prog} --help")
