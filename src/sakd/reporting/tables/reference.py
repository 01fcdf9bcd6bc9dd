"""The rows that every distillation is compared with: teacher, student alone, plain KD."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables.columns import TEST, TEST_BEST, TEST_VAL_SELECTED
from sakd.reporting.tables.frames import PAIR, by_method, prepared
from sakd.reporting.tables.kinds import PLAIN_KD, REFERENCE
from sakd.reporting.tables.spread import Spread

TEACHER = "teacher"
STUDENT = "student alone"
KD = "KD"

_MODEL_COLUMNS = [*PAIR, "model", "mean", "sd", "n"]
_SELECTIONS = {"last": TEST, "val_selected": TEST_VAL_SELECTED, "best": TEST_BEST}


def reference_rows(results: pd.DataFrame, measure: str = TEST) -> pd.DataFrame:
    """Average the test accuracy of teacher, student alone and plain KD, for each pair.

    The teacher counts once per seed, unless every seed reports the same accuracy: that is one
    teacher for all, counted once. A row without a single result is kept, with n = 0.

    Args:
        results: One line per cell.
        measure: The column of an accuracy; the teacher's has ``teacher_`` before its name.

    Returns:
        ``dataset, teacher, student, model, mean, sd, n``; accuracies are fractions.
    """
    cells = prepared(results)
    lines = []
    for pair, group in cells.groupby(PAIR, sort=False):
        for model, values in _models(group, measure):
            named = dict(zip(PAIR, pair, strict=True))
            lines.append({**named, "model": model, **Spread.of(values).columns()})
    return pd.DataFrame(lines, columns=_MODEL_COLUMNS).astype({"mean": float, "sd": float})


def _models(group: pd.DataFrame, measure: str) -> Iterator[tuple[str, pd.Series]]:
    finished = group[group["finished"]]
    kd = (finished["distiller"] == PLAIN_KD) & (finished["policy"] == REFERENCE)
    teachers = group.groupby("seed")[f"teacher_{measure}"].first().dropna()
    yield TEACHER, teachers[:1] if teachers.nunique() == 1 else teachers
    yield STUDENT, finished.loc[finished["distiller"] == NONE, measure]
    yield KD, finished.loc[kd, measure]


def selection_rows(results: pd.DataFrame) -> pd.DataFrame:
    """Average the test accuracy at three epochs: last, val-selected and best.

    Returns:
        ``dataset, teacher, student, distiller, policy``; means ``last``, ``val_selected`` and
        ``best``, which is chosen on the test images and therefore optimistic; ``optimism``, the
        mean of best - last of each cell; the standard deviation of each, ``last_sd`` and so on; and
        ``n``, the finished cells.
    """
    lines = []
    for named, group in by_method(prepared(results)):
        finished = group[group["finished"]]
        lines.append({**named, **_selected(finished), "n": len(finished)})
    numbers = [f"{name}{part}" for name in (*_SELECTIONS, "optimism") for part in ("", "_sd")]
    columns = [*PAIR, "distiller", "policy", *numbers, "n"]
    return pd.DataFrame(lines, columns=columns).astype(dict.fromkeys(numbers, float))


def _selected(finished: pd.DataFrame) -> dict[str, float]:
    values = {name: finished[column] for name, column in _SELECTIONS.items()}
    values["optimism"] = values["best"] - values["last"]
    spreads = {name: Spread.of(each) for name, each in values.items()}
    means = {name: spread.mean for name, spread in spreads.items()}
    return means | {f"{name}_sd": spread.sd for name, spread in spreads.items()}
