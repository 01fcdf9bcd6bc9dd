"""Accuracy and cost of every method in one number, and beside the students alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from sakd.evidence.compression import (
    Curve,
    Ratio,
    bd_cost,
    distillation_metric,
    equal_cost,
    hypervolume,
    netscore,
    recovered,
)
from sakd.evidence.seeds import of_seeds
from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables.columns import TEACHER_TEST, TEST
from sakd.reporting.tables.frames import by_method
from sakd.reporting.tables.kinds import family

FEWEST = 2
"""Students of one family that make a curve."""

_METHOD = ["dataset", "teacher", "distiller", "policy"]

_SIZES = ("parameters", "macs", "teacher_macs")


def compression_rows(cells: pd.DataFrame) -> pd.DataFrame:
    """Measure accuracy and cost of every method of every pair; costs are of the network kept.

    Args:
        cells: The results, see `sakd.reporting.tables.frames.prepared`.

    Returns:
        ``dataset, teacher, student, distiller, policy``; ``test``, the mean accuracy; ``macs``;
        ``compression``, of the teacher's multiplications; ``recovered``, the mean over seeds;
        ``equal_cost`` with ``bound``, see `sakd.evidence.compression.equal_cost`; ``netscore``;
        ``distillation_metric``. The student alone is not in it.
    """
    finished = cells[cells["finished"]]
    curves = {name: Curve.of(points) for name, points in _alone(finished)}
    lines = [
        {**named, **_measured(group, finished, curves)}
        for named, group in by_method(finished)
        if named["distiller"] != NONE and not group[list(_SIZES)].isna().any(axis=None)
    ]
    return pd.DataFrame(lines)


def method_rows(cells: pd.DataFrame, classes: int) -> pd.DataFrame:
    """Measure every method over its students, where a family has two or more.

    Args:
        cells: The results, see `sakd.reporting.tables.frames.prepared`.
        classes: The number of classes.

    Returns:
        ``dataset, teacher, distiller, policy, family``; ``students``, their number; ``bd_cost``,
        the mean over seeds, with its interval ``low`` to ``high`` and the number ``n`` of seeds;
        ``hypervolume`` and ``hypervolume_alone``, of accuracies averaged over seeds.
    """
    taught = cells[cells["finished"] & (cells["distiller"] != NONE)].dropna(subset=[*_SIZES])
    taught = taught.assign(family=taught["student"].map(family))
    alone = cells[cells["finished"] & (cells["distiller"] == NONE)].dropna(subset=[*_SIZES])
    lines = [
        {**dict(zip([*_METHOD, "family"], named, strict=True)), **_over(group, alone, classes)}
        for named, group in taught.groupby([*_METHOD, "family"], sort=False)
        if group["student"].nunique() >= FEWEST
    ]
    return pd.DataFrame(lines)


def _alone(finished: pd.DataFrame) -> Iterator[tuple[tuple[str, str], list[tuple[float, float]]]]:
    """Yield the points of students alone, by dataset and family."""
    alone = finished[finished["distiller"] == NONE].dropna(subset=["macs"])
    alone = alone.drop_duplicates(["dataset", "student", "seed"])
    families = alone.assign(family=alone["student"].map(family))
    for (dataset, name), group in families.groupby(["dataset", "family"], sort=False):
        yield (dataset, name), _points(group)


def _points(group: pd.DataFrame) -> list[tuple[float, float]]:
    means = group.groupby("student")[["macs", TEST]].mean()
    return [(float(cost), float(accuracy)) for cost, accuracy in means.to_numpy()]


def _measured(
    group: pd.DataFrame, finished: pd.DataFrame, curves: dict[tuple[str, str], Curve]
) -> dict[str, object]:
    first, accuracy = group.iloc[0], float(group[TEST].mean())
    macs, parameters = float(first["macs"]), float(first["parameters"])
    curve = curves.get((first["dataset"], family(first["student"]) or ""))
    ratio = None if curve is None else equal_cost(accuracy, macs, curve)
    value, bound = ratio or Ratio(math.nan)
    teacher = float(group[TEACHER_TEST].mean())
    return {
        "test": accuracy,
        "macs": macs,
        "compression": float(first["teacher_macs"]) / macs,
        "recovered": _recovered(group, finished),
        "equal_cost": value,
        "bound": bound.value,
        "netscore": netscore(accuracy, parameters, macs),
        "distillation_metric": distillation_metric(
            accuracy, parameters, teacher, float(first["teacher_parameters"])
        ),
    }


def _recovered(group: pd.DataFrame, finished: pd.DataFrame) -> float:
    """Average the part of the gap that is closed over the seeds whose student alone is there."""
    alone = finished[finished["distiller"] == NONE]
    same = group.merge(alone, on=["dataset", "student", "teacher", "seed"], suffixes=("", "_alone"))
    each = [
        recovered(*three)
        for three in same[[TEST, f"{TEST}_alone", TEACHER_TEST]].to_numpy(dtype=float)
    ]
    return float(np.mean(each)) if each else math.nan


def _over(group: pd.DataFrame, alone: pd.DataFrame, classes: int) -> dict[str, object]:
    """Measure one method over its students, beside the same students alone."""
    first = group.iloc[0]
    same = alone[(alone["dataset"] == first["dataset"]) & (alone["teacher"] == first["teacher"])]
    same = same[same["student"].isin(group["student"])]
    each = [
        bd_cost(Curve.of(_points(of_seed)), Curve.of(_points(control)))
        for seed, of_seed in group.groupby("seed")
        for control in [same[same["seed"] == seed]]
        if of_seed["student"].nunique() >= FEWEST and control["student"].nunique() >= FEWEST
    ]
    known = np.array([value for value in each if not math.isnan(value)])
    found = of_seeds(known)
    low, high = found.interval()
    teacher = float(first["teacher_macs"])
    volumes = [
        hypervolume(_points(part), teacher_cost=teacher, classes=classes) if len(part) else math.nan
        for part in (group, same)
    ]
    return {
        "students": group["student"].nunique(),
        "bd_cost": float(found.mean),
        "low": float(low),
        "high": float(high),
        "n": len(known),
        "hypervolume": volumes[0],
        "hypervolume_alone": volumes[1],
    }
