"""When a router has stopped choosing."""

from __future__ import annotations

from collections.abc import Collection

GATE_RATE = "gate_rate/"
"""Prefix of the logged terms with the share of samples that distil at a spot."""

CLOSED, OPEN = 0.01, 0.99


def collapse(rates: Collection[float]) -> str:
    """What a router with these shares of distilled samples, one per spot, has collapsed to.

    Returns:
        ``always`` with more than 99 % at every spot, ``never`` with fewer than 1 %, ``one fixed
        route`` where each spot is one or the other, and nothing for a router that chooses.
    """
    opened = [rate > OPEN for rate in rates]
    closed = [rate < CLOSED for rate in rates]
    if not rates or not all(o or c for o, c in zip(opened, closed, strict=True)):
        return ""
    if all(opened):
        return "always"
    return "never" if all(closed) else "one fixed route"
