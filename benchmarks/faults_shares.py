"""Work that is shared out among copies of this process."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence

MOST = 65536
"""The most bytes that the counts of a copy take."""


def shared_out(
    names: Sequence[str], work: Callable[[Sequence[str]], Counter[str]], jobs: int
) -> Counter[str]:
    """Do ``work`` on every so many-th of ``names`` in each of ``jobs`` copies; add up its counts.

    All names of a copy that ends otherwise count as ``failed``.
    """
    total: Counter[str] = Counter()
    shares = [names[first::jobs] for first in range(min(jobs, len(names)))]
    for share, (copy, reading) in zip(shares, [_started(work, s) for s in shares], strict=True):
        _, status = os.waitpid(copy, 0)
        total += Counter(
            json.loads(os.read(reading, MOST)) if not status else {"failed": len(share)}
        )
    return total


def _started(
    work: Callable[[Sequence[str]], Counter[str]], share: Sequence[str]
) -> tuple[int, int]:
    reading, writing = os.pipe()
    sys.stdout.flush()
    if copy := os.fork():
        os.close(writing)
        return copy, reading
    status = 1
    try:
        os.write(writing, json.dumps(work(share)).encode())
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)
