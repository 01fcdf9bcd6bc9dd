"""Locks by which runs on one machine, or on one shared disk, keep out of each other's way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sakd.foundation.errors import UserError

SAY_SECONDS = 60.0
"""How often the log says that a run waits for another."""

logger = logging.getLogger(__name__)


class ClaimedError(UserError):
    """Another run holds a lock."""


@contextmanager
def held(path: Path, purpose: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock on the file ``path``, which is made if need be.

    Args:
        path: The file.
        purpose: Who holds it, for messages: "another run is ...".
        wait: Whether to wait until it is free; the log says so now and then.

    Raises:
        ClaimedError: Another run holds it.
        OSError: The file cannot be made, or its file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A lock that is a mere file would outlast a run that is killed.
    lock = FileLock(path, fallback_to_soft=False)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=SAY_SECONDS if wait else 0)
        except Timeout as error:
            if not wait:
                raise ClaimedError(f"another run is {purpose}: wait for its end") from error
            logger.info("waiting for another run, which is %s (lock: %s)", purpose, path)
        except OSError as error:
            if error.filename is None:
                path.unlink(missing_ok=True)
                raise OSError(error.errno, f"cannot lock ({error.strerror})", str(path)) from error
            raise
    try:
        yield
    finally:
        lock.release()
