"""Memory that a step on a processor frees, kept for the next step."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MB = 2**20

# The numbers by which glibc knows these limits.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3

NEVER = -1
"""For `TRIM_THRESHOLD`: whatever is free, none is given back."""

LARGEST = 1024 * MB
"""Pieces of memory up to this size are kept; above, glibc asks the system for each."""

USUAL = 32 * MB
"""The largest piece that glibc keeps by itself; and the largest that old versions can keep."""


@contextmanager
def memory_kept() -> Iterator[None]:
    """Have glibc keep memory that is freed within the context, and give it back at the end.

    By itself it gives large pieces back to the system, which clears every page of them when they
    are asked for again. A step needs the memory of the step before. No result depends on it.
    Nothing is done where another library allocates memory, or where the environment sets limits.
    """
    limit = _glibc("mallopt")
    give_back = _glibc("malloc_trim")
    if limit is None or give_back is None or _chosen():
        yield
        return
    # The limit of pieces comes first: that of the rest alone would end glibc's own care for it.
    kept = limit(MMAP_THRESHOLD, LARGEST) or limit(MMAP_THRESHOLD, USUAL)
    if kept:
        limit(TRIM_THRESHOLD, NEVER)
    try:
        yield
    finally:
        if kept:  # as far as glibc itself goes after large pieces
            limit(MMAP_THRESHOLD, USUAL)
            limit(TRIM_THRESHOLD, 2 * USUAL)
        give_back(0)


def _chosen() -> bool:
    """Whether the user has set limits by variables of the environment."""
    old = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
    return any(map(os.environ.get, old)) or "malloc" in os.environ.get("GLIBC_TUNABLES", "")


def _glibc(name: str) -> Callable[..., int] | None:
    """Give a function of glibc; None where there is no glibc."""
    if platform.libc_ver()[0] != "glibc":
        return None
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
