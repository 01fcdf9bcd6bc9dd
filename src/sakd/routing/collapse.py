"""Routers that have stopped choosing."""

from __future__ import annotations

from collections.abc import Collection

GATE_RATE = "gate_rate/"
"""Prefix of the logged shares of samples that distil at a spot."""

CLOSED, OPEN = 0.01, 0.99


def collapse(rates: Collection[float]) -> str:
    """Name the state that a router has collapsed to.

    Args:
        rates: Share of the samples that distil, one per spot.

    Returns:
        ``always`` if it is above 99 % at every spot, ``never`` if below 1 %, ``one fixed route`` if
        each spot is one or the other; empty for a router that chooses.
    """
    opened = [rate > OPEN for rate in rates]
    closed = [rate < CLOSED for rate in rates]
    if not rates or not all(o or c for o, c in zip(opened, closed, strict=True)):
        return ""
    if all(opened):
        return "always"
    return "never" if all(closed) else "one fixed route"
