"""Log lines on the terminal that the progress bars draw on."""

from __future__ import annotations

import logging

from rich import get_console


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
