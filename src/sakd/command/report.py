"""Show where the latest report is, and open it in a browser if asked to."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from sakd.command.folders import data_folder, latest_report
from sakd.command.parser import Parser
from sakd.foundation.errors import require


def run(arguments: Sequence[str]) -> None:
    """Print the path of the latest report.

    Raises:
        UserError: There is no report, or no browser to open it in.
    """
    parser = Parser("report", __doc__)
    parser.add_argument("dataset", nargs="?", help="the dataset of the report; any without it")
    parser.add_argument("--open", action="store_true", help="open it in a browser")
    parser.add_argument("--data", type=Path, default=data_folder(), help="the folder of all data")
    given = parser.parse_args(arguments)
    page = latest_report(given.data, given.dataset)
    sys.stdout.write(f"{page}\n")
    if given.open:
        opened = webbrowser.open(page.resolve().as_uri())
        require(opened, f"no browser was found to open {page}: open it in one yourself")
