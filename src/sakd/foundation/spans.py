"""Spans of time, from and to."""

from __future__ import annotations

import math
from collections.abc import Iterable


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Give the time within any of ``spans``, which may overlap, in their unit; 0 without any.

    >>> covered([(2, 5), (0, 4), (7, 8), (1, 3)])
    6.0
    """
    total, reached = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
