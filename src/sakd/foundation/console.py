"""Log lines and progress bars, which share the terminal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import get_console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class ConsoleHandler(logging.Handler):
    """Write each record as one unwrapped line, above any progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write ``record``."""
        get_console().print(self.format(record), soft_wrap=True, markup=False, highlight=False)


def log_to_console() -> None:
    """Show the log of the project, from level info up, on the console alone."""
    handler = ConsoleHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logger = logging.getLogger("sakd")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)


def progress_bars() -> Progress | None:
    """Make bars with a note each, which vanish when they stop; None unless on a terminal."""
    console = get_console()
    if not console.is_terminal:
        return None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    return Progress(*columns, console=console, transient=True)


@contextmanager
def counting(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar up to ``total``, on a terminal; yield a function that advances it."""
    bars = progress_bars()
    if bars is None:
        yield lambda _more: None
        return
    with bars:
        task = bars.add_task(title, total=total, note="")
        yield lambda more: bars.advance(task, more)
