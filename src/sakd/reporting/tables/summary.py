"""The few numbers of a run that go into a metrics file."""

from __future__ import annotations

import pandas as pd

from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables.columns import METRIC, TEST
from sakd.reporting.tables.frames import compared_policies, prepared
from sakd.reporting.tables.paired import paired_differences, pooled
from sakd.reporting.tables.spread import Spread


def summary(results: pd.DataFrame) -> dict[str, float | int]:
    """Reduce the results to a small JSON object without NaN.

    Returns:
        ``cells_done``, ``cells_failed``; ``top1/<distiller>/<policy>``, the mean test accuracy over
        the finished cells of all pairs (``top1/student_alone`` for the student alone);
        ``gain/<policy>`` and ``gain/<policy>/n``, the mean paired difference to plain distillation
        over every pair, pooled distiller and seed. All fractions. A mean over nothing has no key.
    """
    cells = prepared(results)
    finished = cells[cells["finished"]]
    numbers: dict[str, float | int] = {
        "cells_done": len(finished),
        "cells_failed": len(cells) - len(finished),
    }
    for (distiller, policy), group in finished.groupby(["distiller", "policy"], sort=False):
        name = "student_alone" if distiller == NONE else f"{distiller}/{policy}"
        numbers[f"{METRIC}/{name}"] = float(group[TEST].mean())
    for policy in compared_policies(cells):
        gain = Spread.of(paired_differences(pooled(cells), policy)["difference"])
        if gain.n:
            numbers |= {f"gain/{policy}": gain.mean, f"gain/{policy}/n": gain.n}
    return numbers
