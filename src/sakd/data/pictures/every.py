"""Every picture of a set looked at in threads, and the faults found on the way."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from PIL import Image

from sakd.data.pictures.stored import Pictures
from sakd.foundation.console import counting

CHUNK = 64  # pictures a thread takes at a time

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Fault(NamedTuple):
    """A picture that cannot be used.

    Attributes:
        number: Its number in the set.
        place: Which picture it is: the path, or the row and the file.
        reason: Why it cannot be used.
    """

    number: int
    place: str
    reason: str

    def __str__(self) -> str:
        """Say which, and why."""
        return f"{self.place} ({self.reason})"


def look_at_every(
    pictures: Pictures,
    job: Callable[[Image.Image, int], T],
    title: str,
    numbers: Sequence[int] | None = None,
) -> tuple[list[T], list[Fault]]:
    """Call ``job`` with every picture and its number, in threads: decoders let go of Python's lock.

    Args:
        pictures: N of them.
        job: What to do with an opened picture.
        title: What is done, for the log and the progress bar.
        numbers: The pictures to look at; None for all.

    Returns:
        The results, in order, of the pictures that could be used; and the faults of the others.
    """
    chosen = range(len(pictures)) if numbers is None else numbers

    def chunk(start: int) -> tuple[list[T], list[Fault]]:
        results, faults = [], []
        for number in chosen[start : start + CHUNK]:
            try:
                with pictures.open(number) as picture:
                    results.append(job(picture, number))
            except Exception as error:  # broken bytes fail in as many ways as there are decoders
                faults.append(Fault(number, pictures.where(number), reason(error)))
        return results, faults

    done: list[T] = []
    failed: list[Fault] = []
    logger.info("%s", title)
    with counting(title, len(chosen)) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
        for results, faults in pool.map(chunk, range(0, len(chosen), CHUNK)):
            done += results
            failed += faults
            advance(len(results) + len(faults))
    return done, failed


def reason(error: Exception) -> str:
    """Say why a picture cannot be used, without Pillow's ``<_io.BytesIO ...>`` or a path."""
    said = getattr(error, "strerror", None) or str(error)
    cut = said.partition(" <")[0].partition(" '/")[0].partition("\n")[0]
    return cut or type(error).__name__
