"""Leases: locks in a store that has none, such as S3, which end by themselves after a crash."""

from __future__ import annotations

import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any
from uuid import uuid4

from sakd.foundation.locks import ClaimedError

LASTS = 60.0
"""Seconds after which a lease that nobody has renewed is over."""

RENEWALS = 6
"""How often a lease is renewed in that time."""

FREE = b"free\n"

logger = logging.getLogger(__name__)


@dataclass
class Lease:
    """The sole right to a thing in a shared store, as long as it is renewed.

    Every lease of a thing is a file with the next number, which the store makes only if there is
    none yet. Whoever finds a higher number than its own has lost the right. The clock is that of
    the store.

    Attributes:
        files: The file system of the store, as of fsspec.
        folder: The folder of the leases of this thing.
        purpose: Who holds it, for messages: "another run is ...".
        lasts: See `LASTS`.
    """

    files: Any
    folder: str
    purpose: str
    lasts: float = LASTS
    _own: str = field(default="", init=False)

    def take(self) -> None:
        """Take the lease.

        Raises:
            ClaimedError: Somebody else has it.
        """
        found = self._all()
        if found and self._holds(found[-1]):
            raise self._claimed()
        number = int(found[-1].rpartition("/")[2]) + 1 if found else 1
        path = f"{self.folder}/{number:06d}"
        try:
            with self.files.open(path, "xb") as file:
                file.write(self._content())
        except FileExistsError as error:
            raise self._claimed() from error
        self._own = path
        for older in found:
            self._remove(older)

    def check(self) -> None:
        """Look whether the lease is still the holder's.

        Raises:
            ClaimedError: Somebody else has taken it, as it was over.
        """
        if self._all()[-1:] != [self._own]:
            raise self._claimed()

    def renew(self) -> None:
        """Say that the holder is at work.

        Raises:
            ClaimedError: Somebody else has taken the lease, as it was over.
        """
        self.check()
        self.files.pipe_file(self._own, self._content())

    def give_back(self) -> None:
        """End the lease."""
        self.files.pipe_file(self._own, FREE)

    def _all(self) -> list[str]:
        """List the leases, the last one last."""
        try:
            found = self.files.ls(self.folder, detail=False)
        except FileNotFoundError:
            return []
        return sorted(path for path in found if path.rpartition("/")[2].isdecimal())

    def _holds(self, path: str) -> bool:
        try:
            if self.files.cat_file(path) == FREE:
                return False
            age = self._now() - self.files.modified(path)
        except FileNotFoundError:  # it has just been replaced
            return True
        return bool(age.total_seconds() < self.lasts)

    def _now(self) -> Any:  # noqa: ANN401 - a time as the store gives it
        probe = f"{self.folder}/clock-{uuid4().hex}"
        self.files.pipe_file(probe, FREE)
        try:
            return self.files.modified(probe)
        finally:
            self._remove(probe)

    def _remove(self, path: str) -> None:
        try:
            self.files.rm_file(path)
        except FileNotFoundError:
            return

    def _content(self) -> bytes:
        holder = {"host": platform.node(), "process": os.getpid(), "renewed": time.time()}
        return json.dumps(holder).encode()

    def _claimed(self) -> ClaimedError:
        return ClaimedError(f"another run is {self.purpose}: wait for its end")


@contextmanager
def held(
    lease: Lease,
    keep: Callable[[], None],
    beat: Callable[[], None] = lambda: None,
    *,
    fetch: Callable[[], None] = lambda: None,
    wait: bool = False,
) -> Iterator[None]:
    """Hold ``lease``, and renew it meanwhile; however long it takes to keep things, it is renewed.

    Args:
        lease: The lease.
        keep: Called as often as the lease is renewed, and once before it is given back; never
            before things are fetched, as it might find half of them.
        beat: Called after every renewal; it must be quick.
        fetch: Called once the lease is taken.
        wait: Whether to wait until it is free.

    Raises:
        ClaimedError: Somebody else has it, or has taken it meanwhile as it was not renewed.
    """
    every = lease.lasts / RENEWALS
    _take(lease, every if wait else None)

    def keep_own() -> None:
        lease.check()
        keep()

    def renew() -> None:
        lease.renew()
        beat()

    try:
        with _repeated(renew, every, lease.folder):
            fetch()
            try:
                with _repeated(keep_own, every, lease.folder):
                    yield
            finally:
                keep_own()
    finally:
        renew()
        lease.give_back()


@contextmanager
def _repeated(work: Callable[[], None], every: float, folder: str) -> Iterator[None]:
    """Do ``work`` again and again meanwhile, ``every`` so many seconds, until the lease is lost."""
    ended = Event()

    def repeat() -> None:
        while not ended.wait(every):
            try:
                work()
            except ClaimedError:
                return  # found again at the end
            except Exception as error:  # each kind of store has its own; the next time may do
                logger.warning("%s cannot be renewed: %s", folder, error)

    thread = Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _take(lease: Lease, every: float | None) -> None:
    """Take ``lease``; try again ``every`` so many seconds, if at all."""
    while True:
        try:
            lease.take()
        except ClaimedError:
            if every is None:
                raise
            time.sleep(every)
        else:
            return
