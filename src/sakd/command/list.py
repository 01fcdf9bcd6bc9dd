"""List the names that a study can be made of, with their sources and defaults."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sakd.command.listing import LISTINGS
from sakd.command.parser import Parser


def run(arguments: Sequence[str]) -> None:
    """Print one table of names.

    Raises:
        UserError: There is no such table.
    """
    parser = Parser("list", __doc__)
    parser.add_argument("what", help=", ".join(LISTINGS))
    sys.stdout.write(LISTINGS[parser.parse_args(arguments).what].text())
