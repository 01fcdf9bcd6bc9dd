"""How a difference may be read."""

from __future__ import annotations

from enum import Enum

from sakd.evidence.estimate import LEVEL, Estimate


class Reading(Enum):
    """The meaning of a difference, at the level of its interval."""

    HIGHER = "higher"
    LOWER = "lower"
    WITHIN = "within the margin"
    OPEN = "open"
    UNKNOWN = "unknown"


def read(estimate: Estimate, margin: float, p: float | None = None) -> Reading:
    """Decide whether a difference is above or below zero, within ``margin`` of it, or open.

    Args:
        estimate: Of a single difference.
        margin: The difference that does not matter.
        p: Its p-value after adjustment for a family of questions; None for its own.
    """
    if not estimate.known:
        return Reading.UNKNOWN
    if (estimate.p if p is None else p) < 1 - LEVEL:
        return Reading.HIGHER if estimate.mean > 0 else Reading.LOWER
    return Reading.WITHIN if estimate.bound <= margin else Reading.OPEN
