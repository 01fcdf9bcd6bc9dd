"""The accuracies of a study, what it was made with, and a line of numbers for each cell."""

from __future__ import annotations

import math
from datetime import timedelta

import pandas as pd

from sakd.reporting.tables import formats
from sakd.reporting.tables.columns import TEACHER_TEST, TEST
from sakd.reporting.tables.duration import training_seconds
from sakd.reporting.tables.frames import by_method, distilled
from sakd.reporting.tables.reference import STUDENT, TEACHER, reference_rows
from sakd.reporting.tables.spread import Spread
from sakd.reporting.verdict.part import Part
from sakd.reporting.verdict.rates import epoch_rates

CELL = ["dataset", "teacher", "student", "distiller", "policy", "seed"]

_SHORT = 12
"""Characters of a revision that name it."""


def level_table(part: Part) -> pd.DataFrame:
    """Show the accuracies of teachers, students alone and every method: a column per teacher."""
    shown: dict[tuple[str, str], dict[str, str]] = {}
    for pair in part.pairs:
        cells = part.of_pair(pair).cells
        for line in reference_rows(cells).to_dict("records"):
            if line["model"] in (TEACHER, STUDENT):
                spread = Spread(line["mean"], line["sd"], line["n"])
                shown.setdefault((line["model"], ""), {})[pair[1]] = _level(spread)
        for named, group in by_method(distilled(cells)):
            spread = Spread.of(group.loc[group["finished"], TEST])
            name = named["distiller"], named["policy"]
            shown.setdefault(name, {})[pair[1]] = _level(spread)
    teachers = [teacher for _, teacher, _ in part.pairs]
    lines = [
        {
            "distiller": distiller,
            "policy": policy,
            **{name: found.get(name, formats.NOTHING) for name in teachers},
        }
        for (distiller, policy), found in shown.items()
    ]
    return pd.DataFrame(lines)


def _level(spread: Spread) -> str:
    return formats.with_sd(formats.percent(spread.mean), spread.sd)


def extent(part: Part) -> pd.DataFrame:
    """Show what was trained and tested, by which code and where."""
    cells = part.cells
    finished = cells[cells["finished"]]
    epochs = sorted({int(count) for count in finished["epochs"].dropna()})
    images = part.outcomes.answers.images if part.outcomes.answers else 0
    facts = {
        "cells": f"{len(finished)} of {len(cells)}",
        "seeds": str(cells["seed"].nunique()),
        "epochs of a student": ", ".join(map(str, epochs)),
        "different test images": f"{images:,}",
        "time in which cells or teachers were trained": _time(training_seconds(cells)),
        **{name: _named(cells, name) for name in ("revision", "torch", "device", "platform")},
    }
    return pd.DataFrame({"": list(facts), part.dataset: list(facts.values())})


def _time(seconds: float) -> str:
    return formats.NOTHING if math.isnan(seconds) else str(timedelta(seconds=round(seconds)))


def _named(cells: pd.DataFrame, column: str) -> str:
    """List the different values of a column; revisions by their first characters."""
    values = cells[column].dropna().astype(str) if column in cells else pd.Series(dtype=str)
    if column == "revision":
        values = values.str[:_SHORT]
    return ", ".join(dict.fromkeys(value for value in values if value)) or formats.NOTHING


def cell_lines(part: Part) -> pd.DataFrame:
    """List every cell with its accuracy, that of its teacher, and its rates.

    Returns:
        `CELL`; ``test_top1`` and ``teacher_test_top1`` as fractions; ``rate_first`` and
        ``rate_last``, the mean over spots of the rates in the first and the last epoch; ``router``,
        what the policy had collapsed to, if it had; ``revision``.
    """
    cells, rates = part.cells, epoch_rates(part)
    means = rates.groupby([*CELL, "epoch"])["rate"].mean()
    ends = means.groupby(CELL).agg(rate_first="first", rate_last="last").round(4)
    found = cells[[*CELL, TEST, TEACHER_TEST]].round(6)
    states = {cell: router.state for cell, router in part.outcomes.routers.items()}
    revision = cells["revision"].astype(str).str[:_SHORT] if "revision" in cells else ""
    found = found.assign(router=cells["cell"].map(states).fillna(""), revision=revision)
    return found.merge(ends.reset_index(), on=CELL, how="left")[
        [*CELL, TEST, TEACHER_TEST, "rate_first", "rate_last", "router", "revision"]
    ]
