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
    """Writes each record as one unwrapped line, above any progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write ``record``."""
        get_console().print(self.format(record), soft_wrap=True, markup=False, highlight=False)


def log_to_console() -> None:
    """Show what the project logs, from information up, and nowhere else."""
    handler = ConsoleHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logger = logging.getLogger("sakd")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)


def progress_bars() -> Progress | None:
    """Bars with a note each, on a terminal; None elsewhere. They vanish when they are stopped."""
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
    """Show a bar to ``total``, on a terminal; gives a function that says how many more are done."""
    bars = progress_bars()
    if bars is None:
        yield lambda _more: None
        return
    with bars:
        task = bars.add_task(title, total=total, note="")
        yield lambda more: bars.advance(task, more)
