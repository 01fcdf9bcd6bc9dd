"""Which curves and which differences a verdict draws."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sakd.reporting.verdict.differences import questions
from sakd.reporting.verdict.drawing import Bar, Curve, bars, curves
from sakd.reporting.verdict.part import Part
from sakd.reporting.verdict.rates import epoch_rates


def rates_picture(part: Part, policy: str) -> str:
    """Draw the rates of ``policy`` over epochs: the mean over seeds, and the lowest and highest."""
    rates = epoch_rates(part)
    rates = rates[rates["policy"] == policy]
    teachers = [teacher for _, teacher, _ in part.pairs]
    rows = {
        str(distiller): [list(_curves(own[own["teacher"] == name])) for name in teachers]
        for distiller, own in rates.groupby("distiller", sort=False)
    }
    title = f"The rates of {policy} on {part.dataset}"
    text = (
        f"The share of the samples that distil at each spot under the policy {policy}, per epoch, "
        f"as the mean over seeds with the lowest and the highest. Teachers: {', '.join(teachers)}."
    )
    return curves(title, text, teachers, rows)


def _curves(rates: pd.DataFrame) -> Iterator[Curve]:
    for spot, own in rates.groupby("spot", sort=False):
        by_epoch = own.groupby("epoch")["rate"].agg(["mean", "min", "max"]).clip(0, 1)
        yield Curve(str(spot), *(by_epoch[name].tolist() for name in ("mean", "min", "max")))


def differences_picture(part: Part) -> str:
    """Draw the answers to the questions: a column each, with a line per teacher and distiller."""
    found = questions(part, each=True)
    if len({one.distiller for one in found}) > 1:
        found += questions(part)
    teachers = [teacher for _, teacher, _ in part.pairs]
    distillers = list(dict.fromkeys(one.distiller for one in found))
    found.sort(key=lambda one: (teachers.index(one.teacher), distillers.index(one.distiller)))
    columns: dict[str, list[Bar]] = {}
    for one in found:
        low, high = (100 * float(end) for end in one.found.estimate.interval())
        mean, look = 100 * float(one.found.estimate.mean), distillers.index(one.distiller)
        name = f"{one.teacher}, {one.distiller}"
        columns.setdefault(one.title, []).append(Bar(name, mean, low, high, look))
    title = f"Differences on {part.dataset}, in points"
    text = (
        f"Differences of test accuracy in points with their 95 % intervals: {', '.join(columns)}. "
        f"A line for every teacher and distiller; within {100 * part.outcomes.margin:g} points on "
        "grey."
    )
    return bars(title, text, columns, 100 * part.outcomes.margin)
