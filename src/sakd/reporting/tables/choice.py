"""Which student to ship: the best on validation that a budget allows, and its equals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sakd.foundation.errors import UserError, require
from sakd.reporting.tables.candidates import COSTS, PARAMETERS, Candidate
from sakd.reporting.tables.columns import VAL

EQUAL = 1e-9
"""Means of the same accuracies may differ by rounding."""

AGAIN = "run --pipelines evaluate,report again"


@dataclass(frozen=True)
class Choice:
    """The student to ship, and those that would do as well.

    Attributes:
        best: The highest on validation; of equals the one that costs least.
        equal: The others that are as high.
        near: The others within the margin, by their accuracy on validation.
        fitting: The number of candidates that the budget allows.
    """

    best: Candidate
    equal: tuple[Candidate, ...]
    near: tuple[Candidate, ...]
    fitting: int

    @property
    def smallest(self) -> Candidate:
        """The one of fewest parameters within the margin, the higher of equals."""
        return min((self.best, *self.equal, *self.near), key=lambda one: one.costs[PARAMETERS])


def choose(
    candidates: Sequence[Candidate], margin: float, budget: Mapping[str, float] | None = None
) -> Choice:
    """Choose the candidate that is highest on validation; test has no say.

    Args:
        candidates: The methods to choose from.
        margin: The difference in accuracy that does not matter, as a fraction.
        budget: The most that each cost may be, by the columns of `COSTS`; None for no limit.

    Raises:
        UserError: There is no candidate, none fits the budget, or an accuracy on validation or a
            cost is missing.
    """
    require(bool(candidates), "no cell is finished: there is nothing to choose from")
    for one in candidates:
        fine = one.val.n == one.test.n
        require(fine, f"{one.name} has no {VAL}: {AGAIN}")
    fitting = [one for one in candidates if _excess(one, budget or {}) <= 1]
    if not fitting:
        raise UserError(_nothing(candidates, budget or {}))
    best, *others = sorted(fitting, key=order)
    behind = {id(other): best.val.mean - other.val.mean for other in others}
    return Choice(
        best,
        tuple(other for other in others if behind[id(other)] <= EQUAL),
        tuple(other for other in others if EQUAL < behind[id(other)] <= margin + EQUAL),
        len(fitting),
    )


def front(candidates: Sequence[Candidate], cost: str) -> list[Candidate]:
    """List those for which no other is at least as good on validation and costs no more.

    They come by increasing cost. Of candidates that are equal in both, the first stands for all;
    those without this cost or an accuracy on validation are left out.
    """
    found: list[Candidate] = []
    known = [one for one in candidates if one.val.n and not math.isnan(one.costs[cost])]
    for one in sorted(known, key=lambda one: (one.costs[cost], -one.val.mean)):
        if not found or one.val.mean > found[-1].val.mean + EQUAL:
            found.append(one)
    return found


def order(one: Candidate) -> tuple[float, ...]:
    """Order by accuracy on validation, highest first, then by costs."""
    costs = (math.inf if math.isnan(value) else value for value in one.costs.values())
    return (-round(one.val.mean, 9), *costs)


def _excess(one: Candidate, budget: Mapping[str, float]) -> float:
    """Give the largest ratio of a cost to its limit."""
    for name in budget:
        require(not math.isnan(one.costs[name]), f"{one.name} has no {name}: {AGAIN}")
    return max((one.costs[name] / limit for name, limit in budget.items()), default=0.0)


def _nothing(candidates: Sequence[Candidate], budget: Mapping[str, float]) -> str:
    """Say what was asked for, and what comes nearest."""
    asked = " and ".join(COSTS[name].amount(limit) for name, limit in budget.items())
    nearest = min(candidates, key=lambda one: (_excess(one, budget), order(one)))
    least = " and ".join(nearest.cost(name) for name in COSTS if name in budget)
    word = "smallest" if len(budget) == 1 else "nearest"
    return f"nothing fits {asked}: the {word} there is has {least} ({nearest.name})"
