"""Phases: the parts of a training that have players, losses and optimisers of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, count, pairwise
from typing import NamedTuple

from sakd.foundation.errors import UserError


class Phase(NamedTuple):
    """A part of a training.

    Attributes:
        name: What messages call it.
        share: Its share of the epochs, above 0, in proportion to those of the others.
    """

    name: str
    share: float


def spans(phases: Sequence[Phase], epochs: int) -> tuple[range, ...]:
    """Divide the epochs, counted from 0, among ``phases``; without phases they are one span.

    >>> spans([Phase("first", 1), Phase("second", 3)], epochs=10)
    (range(0, 3), range(3, 10))

    Raises:
        UserError: A phase would have no epoch.
    """
    if not phases:
        return (range(epochs),)
    shares = [phase.share for phase in phases]
    found = _divided(shares, epochs)
    if not all(found):
        names = ", ".join(phase.name for phase in phases)
        enough = next(more for more in count(epochs + 1) if all(_divided(shares, more)))
        raise UserError(
            f"{epochs} epoch{'' if epochs == 1 else 's'} cannot be divided among the phases "
            f"{names}: take {enough} or more"
        )
    return found


def _divided(shares: Sequence[float], epochs: int) -> tuple[range, ...]:
    sums = list(accumulate(shares))
    ends = [math.floor(epochs * end / sums[-1] + 0.5) for end in sums]
    return tuple(range(start, end) for start, end in pairwise([0, *ends]))
