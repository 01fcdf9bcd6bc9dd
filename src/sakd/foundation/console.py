"""Log lines and progress bars, which share the terminal."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from rich import get_console
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
)
from rich.table import Column
from rich.text import Text

from sakd.foundation.text import printable

NAME_WIDTH, BAR_WIDTH = 28, 12


class ConsoleHandler(logging.Handler):
    """Write each record as one unwrapped line, above any progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write ``record``; of what others have written, no codes of the terminal."""
        shown = "\n".join(map(printable, self.format(record).split("\n")))
        get_console().print(shown, soft_wrap=True, markup=False, highlight=False)


def log_to_console() -> None:
    """Show the log of the project, from level info up, on the console alone."""
    handler = ConsoleHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logger = logging.getLogger("sakd")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)


class TimeLeft(ProgressColumn):
    """The time left of a task, by its pace since it was added, or by its own field ``left``."""

    def render(self, task: Task) -> Text:
        """Show hours, minutes and seconds, or ``-:--:--`` while nothing is known."""
        own = task.fields.get("left")
        left = own() if own else self._by_pace(task)
        shown = "-:--:--" if left is None else str(timedelta(seconds=math.ceil(left)))
        return Text(shown, style="progress.remaining")

    def _by_pace(self, task: Task) -> float | None:
        done = task.completed - float(task.fields.get("before", 0))
        if done <= 0 or task.total is None or task.elapsed is None:
            return None
        return task.elapsed / done * (task.total - task.completed)


class Name(ProgressColumn):
    """The description of a task; of a long one the end, which tells cells apart."""

    def render(self, task: Task) -> Text:
        """Show it in at most `NAME_WIDTH` columns."""
        return Text(ending(task.description, NAME_WIDTH), no_wrap=True)


def ending(text: str, width: int) -> str:
    """Cut ``text`` to its last ``width`` characters; a cut one begins with an ellipsis."""
    return text if len(text) <= width else f"\N{HORIZONTAL ELLIPSIS}{text[1 - width :]}"


class Note(ProgressColumn):
    """The field ``note`` of a task, as far as it has room."""

    def render(self, task: Task) -> Beginning:
        """Show it in the columns that are left."""
        return Beginning(task.fields["note"])


@dataclass(frozen=True)
class Beginning:
    """A text in one line, cut where something ends if it is too long."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Write what fits."""
        yield Text(beginning(self.text, options.max_width), no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Take any width, up to that of the text."""
        return Measurement(1, max(1, len(self.text)))


def beginning(text: str, width: int) -> str:
    """Cut ``text`` to its first ``width`` characters, after a comma or stroke if there is one.

    >>> beginning("val 61.11 %, gate 0.50/0.25", 22)
    'val 61.11 %, …'
    """
    if len(text) <= width:
        return text
    ends = [found.end() for found in re.finditer(", |/", text) if found.end() < width]
    return f"{text[: ends[-1] if ends else max(0, width - 1)]}\N{HORIZONTAL ELLIPSIS}"


def progress_bars() -> Progress | None:
    """Make bars with a note each, which vanish when they stop; None unless on a terminal.

    Name, bar, count and time left fit into 60 columns; the note has the rest, and is cut.
    """
    console = get_console()
    if not console.is_terminal:
        return None
    columns = (
        Name(),
        BarColumn(bar_width=BAR_WIDTH),
        MofNCompleteColumn(),
        TimeLeft(),
        Note(table_column=Column(no_wrap=True, ratio=1)),
    )
    return Progress(*columns, console=console, transient=True, expand=True)


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
