"""Measures of routing: how much is distilled, how much of that is choice, and of which images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

ALONE, STUDENT, TEACHER, DISAGREEMENT = "alone", "student", "teacher", "disagreement"
DIFFICULTIES = (ALONE, STUDENT, TEACHER, DISAGREEMENT)
"""Losses of the student alone, of the distilled student and of the teacher; their divergence."""

EVERY = "every spot"
"""The name of the spots of a policy that decides once for all of them."""

PARTS = 10
"""Parts of the images, in order of their difficulty."""

COLUMNS = ("spot", "measure", "by", "group", "value", "images")


class Spot(NamedTuple):
    """The decisions at one spot.

    Attributes:
        name: Its name.
        rate: The mean share of each image over the training, (N,); NaN without a decision.
        seen: The numbers of decisions, (N,).
        epochs: The share that distilled in each epoch, (E,).
        last: The same in the last epoch; of weights the effective share.
    """

    name: str
    rate: Array
    seen: Array
    epochs: Array
    last: float


def extremes(spot: Spot, count: int) -> dict[str, NDArray[np.int_]]:
    """Find the images that distil ``most`` and ``least``, at most ``count`` of each, in order.

    Of equal rates the image that comes first is taken. Without a difference there are none.
    """
    known = np.flatnonzero(spot.seen > 0)
    rate = spot.rate[known]
    if not len(known) or np.ptp(rate) == 0:
        return {}
    falling, rising = (np.argsort(key, kind="stable")[:count] for key in (-rate, rate))
    return {"most": known[falling], "least": known[rising]}


def entropy(share: float) -> float:
    """Compute -r log2 r - (1 - r) log2 (1 - r), bits, of the ``share`` r that distils.

    It is 0 where all or none distil, and 1 where half do.
    """
    parts = (share, 1 - share)
    return 0.0 - sum(part * float(np.log2(part)) for part in parts if part > 0)


def selectivity(spot: Spot) -> float:
    """Compare the deviation of rates over images with that of coins of the same rates.

    With the share r_e of epoch e, a coin per image and epoch gives rates whose variance over images
    is mean_e r_e (1 - r_e) x mean_i 1 / n_i, for n_i decisions on image i. About 1 means that which
    images distil changes from epoch to epoch as if by chance; more, that it is often the same ones.
    NaN where there is nothing to choose.
    """
    known = spot.seen > 0
    chance = float((spot.epochs * (1 - spot.epochs)).mean() * (1 / spot.seen[known]).mean())
    return float(spot.rate[known].std() / np.sqrt(chance)) if chance > 0 else np.nan


def rank_correlation(one: Array, other: Array) -> float:
    """Compute Spearman's correlation of two (n,) arrays; NaN unless each has two values or more."""
    ranks = [pd.Series(values).rank().to_numpy() for values in (one, other)]
    if any(len(np.unique(each)) <= 1 for each in ranks):
        return np.nan
    return float(np.corrcoef(*ranks)[0, 1])


def routing_rows(
    spots: Iterable[Spot], labels: NDArray[np.int_], difficulty: pd.DataFrame, *, weighs: bool
) -> pd.DataFrame:
    """Measure the decisions of a training.

    Args:
        spots: The decisions at each spot on the same N images.
        labels: (N,).
        difficulty: A line for some of the images: ``image``, their position, and those of
            `DIFFICULTIES` that are known.
        weighs: Whether the rates are weights, of which there is neither entropy nor chance.

    Returns:
        Lines of ``spot, measure, by, group, value, images``. Measures are ``rate`` and ``last``,
        over all epochs and in the last; ``entropy`` of the last; ``selectivity``; ``class``, the
        rate of the class ``group``; and by each difficulty its ``correlation`` with the rate, and
        the rate of each ``part``, 1 for the easiest.
    """
    lines: list[tuple[Any, ...]] = []
    for spot in spots:
        known = spot.seen > 0
        rate, count = spot.rate[known], int(known.sum())
        found = {"rate": float(rate.mean()), "last": spot.last}
        if not weighs:
            found |= {"entropy": entropy(spot.last), "selectivity": selectivity(spot)}
        lines += [(spot.name, name, "", 0, value, count) for name, value in found.items()]
        lines += [
            (spot.name, "class", "", label, float(own.mean()), len(own))
            for label, own in _groups(rate, labels[known])
        ]
        lines += [(spot.name, *line) for line in _by_difficulty(spot, difficulty)]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _by_difficulty(spot: Spot, difficulty: pd.DataFrame) -> list[tuple[Any, ...]]:
    lines: list[tuple[Any, ...]] = []
    measured = difficulty[spot.seen[difficulty["image"]] > 0]
    rate = spot.rate[measured["image"]]
    for by in (name for name in DIFFICULTIES if name in measured):
        hard = measured[by].to_numpy()
        lines.append(("correlation", by, 0, rank_correlation(rate, hard), len(hard)))
        order = pd.Series(hard).rank(method="first").to_numpy().astype(int) - 1
        parts = order * PARTS // len(hard)
        lines += [
            ("part", by, part + 1, float(own.mean()), len(own))
            for part, own in _groups(rate, parts)
        ]
    return lines


def _groups(values: Array, labels: NDArray[np.int_]) -> list[tuple[int, Array]]:
    return [(int(label), values[labels == label]) for label in np.unique(labels)]


def merged(spots: list[Spot]) -> list[Spot]:
    """Join the spots to one, called `EVERY`, if all of them have the same decisions."""
    first, *others = spots
    alike = all(np.array_equal(first.rate, other.rate, equal_nan=True) for other in others)
    return [first._replace(name=EVERY)] if others and alike else spots
