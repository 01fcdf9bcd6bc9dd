"""The few numbers of a run that go into a metrics file."""

from __future__ import annotations

import pandas as pd

from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables.columns import METRIC, TEST
from sakd.reporting.tables.contrasts import Contrast, Difference, difference, duels, pooled
from sakd.reporting.tables.frames import compared_policies, every
from sakd.reporting.tables.kinds import REFERENCE, system_kind
from sakd.reporting.tables.methods import KD, method_differences, rivals
from sakd.reporting.tables.outcomes import Outcomes


def summary(
    results: pd.DataFrame, predictions: pd.DataFrame | None = None
) -> dict[str, float | int]:
    """Reduce the results to a small JSON object without NaN.

    Args:
        results: One line per cell.
        predictions: One line per (cell, test image); without it intervals are of seeds alone.

    Returns:
        ``cells_done``, ``cells_failed``; ``top1/<distiller>/<policy>``, the mean test accuracy over
        the finished cells of all pairs (``top1/student_alone`` for the student alone);
        ``gain/<policy>``, the mean paired difference to plain distillation over every pair, pooled
        distiller and seed, and ``gain/distillation``, that of plain distillation to the student
        alone, with ``/low`` and ``/high`` of its 95 % interval and ``/seeds``, their number; and
        ``gain/<system>``, that of a way of learning to the student alone, ``gain/<system>/kd`` that
        to plain KD. All fractions. A mean over nothing has no key.
    """
    outcomes = Outcomes.of(results, predictions=predictions)
    cells = outcomes.cells
    finished, done = cells[cells["finished"]], every(results)["finished"]
    numbers: dict[str, float | int] = {
        "cells_done": int(done.sum()),
        "cells_failed": int((~done).sum()),
    }
    for (distiller, policy), group in finished.groupby(["distiller", "policy"], sort=False):
        name = "student_alone" if distiller == NONE else f"{distiller}/{policy}"
        numbers[f"{METRIC}/{name}"] = float(group[TEST].mean())
    asked = {policy: Contrast(policy, REFERENCE) for policy in compared_policies(cells)}
    gains = {
        name: difference(outcomes, pooled(duels(cells, contrast)))
        for name, contrast in {"distillation": Contrast(REFERENCE, NONE), **asked}.items()
    }
    for name, gain in {**gains, **_of_systems(outcomes)}.items():
        if gain.seeds:
            numbers |= {f"gain/{name}": float(gain.estimate.mean), f"gain/{name}/seeds": gain.seeds}
        if gain.estimate.known:
            low, high = map(float, gain.estimate.interval())
            numbers |= {f"gain/{name}/low": low, f"gain/{name}/high": high}
    return numbers


def _of_systems(outcomes: Outcomes) -> dict[str, Difference]:
    """Compare the systems with the student alone, and with plain KD."""
    return {
        f"{name}/kd" if rival is KD else name: found
        for rival in rivals(outcomes.cells)
        for name, found in method_differences(outcomes, rival).items()
        if system_kind(name) is not None
    }
