"""Numbers as text: percent with two decimals, differences in points with a sign."""

from __future__ import annotations

import math

from sakd.reporting.tables.spread import Spread

NOTHING = "-"
"""The text in place of a missing number."""


def percent(fraction: float) -> str:
    """Write a fraction as percent: ``0.8612`` is ``86.12``."""
    return NOTHING if math.isnan(fraction) else f"{100 * fraction:.2f}"


def points(fraction: float) -> str:
    """Write a difference of fractions in percentage points, signed: ``0.0031`` is ``+0.31``."""
    return NOTHING if math.isnan(fraction) else f"{100 * fraction:+.2f}"


def level(spread: Spread) -> str:
    """Write an accuracy over seeds: ``86.12 ± 0.52 (n=3)``; no ± for one seed."""
    return f"{with_sd(percent(spread.mean), spread.sd)} (n={spread.n})" if spread.n else NOTHING


def interval(low: float, high: float) -> str:
    """Write an interval in points: ``[-0.10, +0.72]``."""
    return NOTHING if math.isnan(low) else f"[{points(low)}, {points(high)}]"


def with_sd(mean: str, sd: float) -> str:
    """Write a standard deviation after a mean in percent: ``86.12 ± 0.52``; no ± without one."""
    return mean if math.isnan(sd) else f"{mean} ± {percent(sd)}"


def number(value: float, digits: int = 2) -> str:
    """Write a number with ``digits`` decimals, and commas between thousands: ``77,754``."""
    return NOTHING if math.isnan(value) else f"{value:,.{digits}f}"


def clipped(text: str, width: int) -> str:
    """Cut the text to at most ``width`` characters; a cut one ends with three dots."""
    return text if len(text) <= width else f"{text[: width - 3]}..."


def plural(count: int, noun: str) -> str:
    """Write a count with its noun: ``1 cell``, ``2 cells``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
