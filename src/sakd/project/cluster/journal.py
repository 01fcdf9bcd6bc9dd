"""The log of other machines, shown where the run was started."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler
from typing import Any


class Journal:
    """Records that workers have logged and nobody has shown yet; an actor of a cluster."""

    def __init__(self) -> None:
        """Start empty."""
        self._records: list[logging.LogRecord] = []

    def write(self, record: logging.LogRecord) -> None:
        """Add a record."""
        self._records.append(record)

    def take(self) -> list[logging.LogRecord]:
        """Give all records, and forget them."""
        taken, self._records = self._records, []
        return taken

    def settle(self) -> None:
        """Do nothing: whoever waits for it knows that the records before it have come."""


class _ToJournal(QueueHandler):
    """Send records to a journal, with their messages and tracebacks as text."""

    def enqueue(self, record: logging.LogRecord) -> None:
        """Send ``record``, without waiting for its arrival."""
        journal: Any = self.queue
        journal.write.remote(record)


@contextmanager
def logged_to(journal: Any, settle: Any) -> Iterator[None]:  # noqa: ANN401 - Ray's
    """Send the log of the project to ``journal`` meanwhile, and to nowhere else.

    Args:
        journal: The handle of a `Journal`.
        settle: Waits for what a method of an actor gives.
    """
    logger = logging.getLogger("sakd")
    logger.handlers, logger.propagate = [_ToJournal(journal)], False
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.handlers = []
        settle(journal.settle.remote())


def show(records: list[logging.LogRecord]) -> None:
    """Log ``records`` here."""
    for record in records:
        logging.getLogger(record.name).handle(record)
