"""How many more units would settle a question."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import stdtr, stdtrit

from sakd.evidence.crossed import Components
from sakd.evidence.design import Array
from sakd.evidence.estimate import LEVEL, Estimate

POWER = 0.8
"""The chance with which a study of the planned size settles the question."""

FEWEST_UNITS, MOST_UNITS = 3, 1000


def units_needed(found: Components, margin: float) -> int | None:
    """Compute the number of units, such as seeds, that settle a question with 80 % power.

    It is settled by an interval without zero, or by a difference that is smaller than ``margin``,
    whichever takes fewer units, if the mean and the components of variance are as they were found.

    Args:
        found: The components of a single mean, of two units or more.
        margin: The difference that does not matter.

    Returns:
        None where more units would not settle it on these images, nor a thousand.
    """
    units = np.arange(FEWEST_UNITS, MOST_UNITS + 1, dtype=float)
    few = found.fewest * (found.design.tests / found.design.with_units(units).tests) ** 2
    planned = replace(found, design=found.design.with_units(units), fewest=few)
    enough = _power(planned.estimate(), margin) >= POWER
    return int(units[enough.argmax()]) if enough.any() else None


def _power(planned: Estimate, margin: float) -> Array:
    """Compute the chance of an interval without zero or within the margin, the larger of both."""
    size, error, degrees = np.abs(planned.mean), planned.error, planned.degrees
    two_sided, one_sided = (stdtrit(degrees, q) for q in ((1 + LEVEL) / 2, LEVEL))
    different = stdtr(degrees, size / error - two_sided)
    below, above = ((margin + sign * size) / error - one_sided for sign in (-1, 1))
    within = stdtr(degrees, below) + stdtr(degrees, above) - 1
    power: Array = np.maximum(different, within)
    return power
