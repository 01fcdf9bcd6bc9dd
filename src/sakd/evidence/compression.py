"""Measures of accuracy and cost in one number: what a method is worth in size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Self

import numpy as np

from sakd.evidence.design import Array

MILLION = 1e6


@dataclass(frozen=True)
class Curve:
    """Accuracy by cost, linear in the logarithm of the cost between networks.

    Attributes:
        log_costs: (N,) natural logarithms of the costs, rising.
        accuracies: (N,) as fractions, rising.
    """

    log_costs: Array
    accuracies: Array

    @classmethod
    def of(cls, points: Iterable[tuple[float, float]]) -> Self:
        """Make the curve of (cost, accuracy) pairs.

        A network that is no better than a cheaper one is left out.
        """
        kept: list[tuple[float, float]] = []
        for cost, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
            if not kept or accuracy > kept[-1][1]:
                kept.append((cost, accuracy))
        costs, accuracies = np.array(kept, dtype=float).reshape(-1, 2).T
        return cls(np.log(costs), accuracies)

    def log_costs_of(self, accuracies: Array) -> Array:
        """Give the logarithms of the costs at which the curve has ``accuracies`` (M,)."""
        found: Array = np.interp(accuracies, self.accuracies, self.log_costs)
        return found


class Bound(Enum):
    """Whether a number is itself meant, or a bound of it."""

    NONE = ""
    MORE = "> "
    LESS = "< "


class Ratio(NamedTuple):
    """A ratio of costs, or a bound of one."""

    value: float
    bound: Bound = Bound.NONE


def equal_cost(accuracy: float, cost: float, alone: Curve) -> Ratio | None:
    """Compute how much larger a network without a teacher must be to be as accurate.

    It is c*(a) / c for a student of accuracy a and cost c, where c*(a) is the cost at which the
    curve of students that are trained ``alone`` reaches a: 1 for a method that does nothing, and 2
    where a student alone would have to cost twice as much.

    Args:
        accuracy: Of the student, as a fraction.
        cost: Of the student; multiplications with an addition, or parameters.
        alone: The curve of the students of its family without a teacher.

    Returns:
        The ratio; a bound where the curve does not reach so high, or begins above. None if the
        curve has fewer than two points.
    """
    if len(alone.accuracies) <= 1:
        return None
    lowest, highest = (float(alone.accuracies[end]) for end in (0, -1))
    found = float(alone.log_costs_of(np.array([accuracy]))[0])
    ratio = math.exp(found) / cost
    if accuracy > highest:
        return Ratio(ratio, Bound.MORE)
    return Ratio(ratio, Bound.LESS if accuracy < lowest else Bound.NONE)


def bd_cost(method: Curve, alone: Curve) -> float:
    """Compute the mean relative difference in cost at equal accuracy; negative if cheaper.

    exp(mean over a of (log c_method(a) - log c_alone(a))) - 1, where a runs over the accuracies
    that both curves have. It is the rate of Bjontegaard (VCEG-M33, 2001) with linear interpolation.

    Returns:
        The difference; NaN if no range of accuracies is in both.
    """
    low = max(curve.accuracies.min(initial=math.inf) for curve in (method, alone))
    high = min(curve.accuracies.max(initial=-math.inf) for curve in (method, alone))
    if not low < high:
        return math.nan
    knots = np.concatenate([method.accuracies, alone.accuracies, [low, high]])
    at = np.unique(knots[(knots >= low) & (knots <= high)])
    apart = method.log_costs_of(at) - alone.log_costs_of(at)
    return math.exp(np.trapezoid(apart, at) / (high - low)) - 1


def hypervolume(
    points: Iterable[tuple[float, float]], *, teacher_cost: float, classes: int
) -> float:
    """Compute the area that the networks dominate (Zitzler & Thiele, IEEE TEC 1999).

    The union of the rectangles of log10(teacher_cost / cost) by accuracy - 1 / classes. A network
    that costs more than the teacher, or guesses, counts nothing.

    Args:
        points: (cost, accuracy) of every network.
        teacher_cost: The cost up to which a network counts.
        classes: The number of classes K; 1 / K is the accuracy of guessing.
    """
    corners = [(math.log10(teacher_cost / cost), height - 1 / classes) for cost, height in points]
    area = reach = 0.0
    for width, height in sorted(corners, key=lambda corner: -corner[1]):
        if height > 0 and width > reach:
            area += (width - reach) * height
            reach = width
    return area


def netscore(accuracy: float, parameters: float, macs: float) -> float:
    """Compute 20 log10(a^2 / sqrt(p m)) (Wong, arXiv:1806.05512).

    Args:
        accuracy: As a fraction; a is in per cent.
        parameters: The number of parameters; p is in millions.
        macs: The multiplications with an addition for an image; m is in millions.
    """
    size = math.sqrt(parameters / MILLION * macs / MILLION)
    return 20 * math.log10((100 * accuracy) ** 2 / size) if accuracy > 0 else -math.inf


def distillation_metric(accuracy: float, size: float, teacher: float, teacher_size: float) -> float:
    """Compute p_s / (2 p_t) + (1 - a_s / a_t) / 2 (Alkhulaifi et al., arXiv:2007.09029).

    Lower is better. It does not know what the student is without a teacher.

    Args:
        accuracy: Of the student.
        size: The number of its parameters.
        teacher: The accuracy of the teacher.
        teacher_size: The number of its parameters.
    """
    return size / teacher_size / 2 + (1 - accuracy / teacher) / 2


def recovered(accuracy: float, alone: float, teacher: float, least: float = 0.01) -> float:
    """Compute the part of the gap to the teacher that a student has closed.

    Args:
        accuracy: Of the student with its teacher.
        alone: Of the same student alone.
        teacher: Of the teacher.
        least: The smallest gap that is worth a ratio; NaN for a smaller one.
    """
    gap = teacher - alone
    return (accuracy - alone) / gap if gap >= least else math.nan
