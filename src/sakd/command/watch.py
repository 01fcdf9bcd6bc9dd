"""Show the trainings that run at this moment, from another terminal; nothing is written."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from rich import get_console
from rich.live import Live as Screen
from rich.text import Text

from sakd.command.folders import data_folder
from sakd.command.parser import Parser
from sakd.foundation.console import ending
from sakd.foundation.errors import require
from sakd.foundation.files import DAY
from sakd.foundation.text import printable
from sakd.study.live import RUNNING, Live, read_live

FILES = f"06_models/*/cells/{RUNNING}/*.json"
"""Where trainings say how far they are, in a folder of data or in that of an environment."""

HEAD = ("training", "epoch", "loss", "val %", "left", "rates")
NAME_WIDTH, RATE = 28, "_rate/"
SILENT = 300.0
"""Seconds after which a training that has written nothing is shown with its silence."""


def run(arguments: Sequence[str]) -> None:
    """Show the table again and again until Ctrl-C; once, where the output is no terminal.

    Raises:
        UserError: There is no such folder, or the store cannot be read.
    """
    parser = Parser("watch", __doc__)
    parser.add_argument("--once", action="store_true", help="show the table once")
    parser.add_argument(
        "--every", type=float, default=1.0, metavar="SECONDS", help="how often (%(default)s)"
    )
    parser.add_argument("--data", type=Path, default=data_folder(), help="the folder of all data")
    parser.add_argument("--store", metavar="URL", help="where cells are kept, if in no folder")
    given = parser.parse_args(arguments)
    fine = 0 < given.every <= DAY
    require(fine, f"--every must be above 0 seconds, at most {DAY:g}, got {given.every:g}")
    look = partial(running_in_store, given.store) if given.store else partial(running, given.data)
    there = given.store or given.data.is_dir()
    require(there, f"there is no folder {given.data}: name one with --data")
    if given.once or not sys.stdout.isatty():
        sys.stdout.write(table(look(), get_console().width))
        return
    try:
        with Screen(console=get_console(), auto_refresh=False) as screen:
            while True:
                shown = table(look(), get_console().width)
                screen.update(Text(shown, no_wrap=True, overflow="crop"), refresh=True)
                time.sleep(given.every)
    except KeyboardInterrupt:
        return


def running(data: Path) -> list[Live]:
    """Read the trainings that run, by their rows and names."""
    files = [*data.glob(FILES), *data.glob(f"*/{FILES}")]
    found = [live for live in map(read_live, files) if live is not None]
    return sorted(found, key=lambda live: (live.row, live.id))


def running_in_store(url: str) -> list[Live]:
    """Read the trainings that run of all cells in a store that is no folder.

    Raises:
        UserError: It cannot be read.
    """
    # Named as text: the command belongs to the library, which does without Kedro.
    sight = import_module("sakd.project.cluster.sight")
    with TemporaryDirectory(prefix="sakd-") as folder:
        sight.fetch_running(url, Path(folder))
        return running(Path(folder))


def table(found: Iterable[Live], width: int) -> str:
    """Write a line for each training in ``width`` columns; what is too long ends the line."""
    rows = [HEAD, *map(_row, found)]
    if len(rows) == 1:
        return "nothing is running here\n"
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:-1], widths[1:-1]), row[-1]])
        for row in rows
    ]
    return "".join(f"{line[:width].rstrip()}\n" for line in lines)


def _row(live: Live) -> tuple[str, ...]:
    """Show the first term of the loss, which the labels give, and the accuracy on validation."""
    terms = [value for name, value in live.record.items() if name != "epoch"]
    val = next((value for name, value in live.record.items() if name.startswith("val_")), None)
    rates = [f"{value:.2f}" for name, value in live.record.items() if RATE in name]
    return (
        ending(printable(live.id), NAME_WIDTH),
        f"{live.epoch}/{live.epochs}",
        f"{terms[0]:.3f}" if terms else "-",
        "-" if val is None else f"{100 * val:.2f}",
        _left(live),
        "/".join(rates) or "-",
    )


def _left(live: Live) -> str:
    if live.stopped:
        return "stopped"
    silent = time.time() - live.written
    if silent > SILENT:
        return f"silent {timedelta(seconds=round(silent))}"
    if live.left is None:
        return "-"
    return str(timedelta(seconds=math.ceil(max(0.0, live.left - silent))))
