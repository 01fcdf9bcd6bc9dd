"""The tables as text, as terminal, Markdown and HTML show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from sakd.data import DataCard
from sakd.evidence import LEVEL, Reading
from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables import formats
from sakd.reporting.tables.chance import Majority
from sakd.reporting.tables.columns import TEST, TEST_BALANCED, TITLE
from sakd.reporting.tables.contrasts import Contrast
from sakd.reporting.tables.frames import PAIR, distilled, policies_in, prepared
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.paired import comparison
from sakd.reporting.tables.reference import STUDENT, reference_rows, selection_rows
from sakd.reporting.tables.shown import Shown
from sakd.reporting.tables.spread import Spread
from sakd.reporting.tables.verdicts import contrasts

MAJORITY = "always the largest class"

SEEDS_ALONE = "(seeds alone)"
"""After an interval that knows nothing of the test images."""

ROUTER, NEEDED = "router", "seeds needed"

_SPREAD = ["mean", "sd", "n"]
_LEVEL = f"test {TITLE} (mean ± sd)"
_BALANCED = "balanced % (mean ± sd)"


def pairs_in(results: pd.DataFrame) -> list[tuple[str, ...]]:
    """List every (dataset, teacher, student), in the order of the results."""
    return list(results[PAIR].drop_duplicates().itertuples(index=False, name=None))


def shown_references(outcomes: Outcomes, data: DataCard | None = None) -> Shown:
    """Show teacher, student alone and KD of one pair: ``model``, ``test top-1 %``.

    On uneven classes there is a column of balanced accuracy, and a line for the model that always
    names the largest class.
    """
    rows = reference_rows(outcomes.cells)
    lines = rows.to_dict("records")
    images = _images(outcomes, data)
    table = pd.DataFrame(
        {
            "model": [_model(line) for line in lines],
            f"{_LEVEL}{images}": [formats.level(_spread(line)) for line in lines],
        }
    )
    values = rows[_SPREAD]
    if not data or not data.uneven:
        return Shown(table, values)
    balanced = reference_rows(outcomes.cells, TEST_BALANCED)
    table[_BALANCED] = [formats.level(_spread(line)) for line in balanced.to_dict("records")]
    values = values.join(balanced[_SPREAD].add_prefix("balanced_"))
    majority = Majority.of(data)
    levels = formats.percent(majority.share), formats.percent(majority.balanced)
    table.loc[len(table)] = [MAJORITY, *levels]
    last = {"mean": [majority.share], "balanced_mean": [majority.balanced]}
    values = pd.concat([values, pd.DataFrame(last)], ignore_index=True)
    return Shown(table, values.astype({"n": "Int64", "balanced_n": "Int64"}))


def _images(outcomes: Outcomes, data: DataCard | None) -> str:
    """Count the test images of a cell, and all of them where cells have images of their own."""
    cells = outcomes.cells.loc[outcomes.cells["finished"], "cell"]
    if outcomes.answers is None or cells.empty or not outcomes.answers.holds(cells):
        return f", {sum(data.counts['test']):,} images" if data else ""
    counts, different = outcomes.answers.counts(cells)
    few, most = (f"{end(counts):,}" for end in (min, max))
    each = most if few == most else f"{few} to {most}"
    if max(counts) == different:
        return f", {each} images"
    return f", {each} images each, {different:,} different"


def _model(line: dict[str, object]) -> str:
    network = line["teacher"] if line["model"] == "teacher" else line["student"]
    return f"{line['model']} ({network})"


def shown_comparison(outcomes: Outcomes, contrast: Contrast) -> Shown:
    """Compare two policies for each distiller of a pair, pooled lines last."""
    table = comparison(outcomes, contrast)
    lines = table.to_dict("records")
    shown = {
        "distiller": [line["distiller"] for line in lines],
        **{
            f"{policy} %": [_level_of(line, policy) for line in lines]
            for policy in (contrast.second, contrast.first)
        },
        "points": [formats.points(line["mean"]) for line in lines],
        "95 % interval": [_interval(line) for line in lines],
        "seeds": [str(line["n"]) for line in lines],
        "reading": [_reading(line, outcomes.margin) for line in lines],
        NEEDED: [formats.NOTHING if pd.isna(n) else str(n) for n in table["needed"]],
    }
    if table["router"].any():
        shown[ROUTER] = [line["router"] or formats.NOTHING for line in lines]
    if table["failed"].any():
        shown["failed"] = [str(line["failed"]) for line in lines]
    words = [*PAIR, "distiller", "reading", "router"]
    return Shown(pd.DataFrame(shown), table.drop(columns=words))


def _level_of(line: dict[str, Any], policy: str) -> str:
    spread = _spread(line, f"{policy}_")
    return formats.with_sd(formats.percent(spread.mean), spread.sd)


def _interval(line: dict[str, Any]) -> str:
    shown = formats.interval(line["low"], line["high"])
    alone = shown != formats.NOTHING and not line["images"]
    return f"{shown} {SEEDS_ALONE}" if alone else shown


def _reading(line: dict[str, Any], margin: float) -> str:
    reading = Reading(line["reading"])
    if reading is Reading.OPEN and line["p"] < 1 - LEVEL:
        return "open (Holm)"
    shown = {Reading.WITHIN: f"within {100 * margin:g}", Reading.UNKNOWN: formats.NOTHING}
    return shown.get(reading, reading.value)


def shown_levels(
    results: pd.DataFrame, data: DataCard | None = None, *, needed: bool = False
) -> Shown:
    """Show the accuracies of every distiller under every policy, for one pair.

    Unless it is ``needed``, the table is empty where the comparisons say it all: they have every
    policy, and the classes are even. On uneven ones there is a column of balanced accuracy.
    """
    cells = prepared(results)
    uneven = data is not None and data.uneven
    compared = {policy for contrast in contrasts(cells) for policy in contrast}
    if compared.issuperset(policies_in(cells)) and not uneven and not needed:
        return Shown(pd.DataFrame(), pd.DataFrame())
    groups = list(distilled(cells).groupby(["distiller", "policy"], sort=False))
    finished = [group[group["finished"]] for _, group in groups]
    levels = [Spread.of(cells[TEST]) for cells in finished]
    balanced = [Spread.of(cells[TEST_BALANCED]) for cells in finished]
    failed = [int((~group["finished"]).sum()) for _, group in groups]
    text = {
        "distiller": [key[0] for key, _ in groups],
        "policy": [key[1] for key, _ in groups],
        _LEVEL: [formats.level(each) for each in levels],
        **({_BALANCED: [formats.level(each) for each in balanced]} if uneven else {}),
        "failed": [str(number) for number in failed],
    }
    values = pd.DataFrame([each.columns() for each in levels])
    if uneven:
        values = values.join(pd.DataFrame([each.columns("balanced_") for each in balanced]))
    return Shown(pd.DataFrame(text), values.assign(failed=failed))


def shown_selection(results: pd.DataFrame) -> Shown:
    """Show last, val-selected and best epoch side by side for one pair, mean ± sd over seeds."""
    rows = selection_rows(results)
    lines = rows.to_dict("records")
    methods = [(line["distiller"], line["policy"]) for line in lines]
    alone = (NONE, NONE)
    shown = [(STUDENT, formats.NOTHING) if method == alone else method for method in methods]
    text = {
        "distiller": [distiller for distiller, _ in shown],
        "policy": [policy for _, policy in shown],
        "last epoch %": _spreads(lines, "last"),
        "val-selected %": _spreads(lines, "val_selected"),
        "best % (optimistic)": _spreads(lines, "best"),
        "best - last, points": _spreads(lines, "optimism", formats.points),
        "n": [str(line["n"]) for line in lines],
    }
    return Shown(pd.DataFrame(text), rows.drop(columns=[*PAIR, "distiller", "policy"]))


def _spreads(
    lines: list[dict[str, Any]], name: str, shown: Callable[[float], str] = formats.percent
) -> list[str]:
    return [formats.with_sd(shown(line[name]), line[f"{name}_sd"]) for line in lines]


def _spread(line: dict[str, object], prefix: str = "") -> Spread:
    mean, sd, n = (line[f"{prefix}{part}"] for part in ("mean", "sd", "n"))
    if pd.isna(n):
        return Spread.of([])
    return Spread(mean=float(str(mean)), sd=float(str(sd)), n=int(str(n)))
