"""The chapter of accuracy against cost."""

from __future__ import annotations

import pandas as pd

from sakd.data import DataCard
from sakd.foundation.vocabulary import NONE
from sakd.reporting.figures.pareto import SHOWN, pareto
from sakd.reporting.pages.compression import compression_tables
from sakd.reporting.pages.sections import Chart, Section, Tabular
from sakd.reporting.pages.wording import FRONT, PARETO
from sakd.reporting.tables import formats
from sakd.reporting.tables.candidates import Candidate, candidates
from sakd.reporting.tables.choice import front

_NAMES = ("student", "distiller", "policy", "teacher")


def front_section(cells: pd.DataFrame, data: DataCard | None) -> list[Section]:
    """Show the methods of all pairs against their costs; no section where costs are not known."""
    found = candidates(cells)
    fronts = {cost: front(found, cost) for cost in SHOWN}
    best = [one for one in found if any(one in each for each in fronts.values())]
    if not best:
        return []
    of = [", ".join(SHOWN[cost] for cost in SHOWN if one in fronts[cost]) for one in best]
    text = pd.DataFrame([_text(one) for one in best]).assign(**{"on the front of": of})
    values = pd.DataFrame([_values(one) for one in best])
    table = Tabular("front", "The front", text, values, names=len(_NAMES), note=FRONT)
    picture = Chart("pareto", PARETO, pareto(cells))
    return [Section("Accuracy against cost", (picture, table, *compression_tables(cells, data)))]


def _text(one: Candidate) -> dict[str, str]:
    named = {name: getattr(one, name) for name in _NAMES}
    levels = {"val": one.val, "test": one.test}
    return {
        **{name: formats.NOTHING if value == NONE else value for name, value in named.items()},
        **{f"{split} % (mean ± sd)": formats.level(spread) for split, spread in levels.items()},
        **{title: one.number(cost) for cost, title in SHOWN.items()},
    }


def _values(one: Candidate) -> dict[str, float]:
    return {
        **one.val.columns("val_"),
        **one.test.columns("test_"),
        **{cost: one.costs[cost] for cost in SHOWN},
    }
