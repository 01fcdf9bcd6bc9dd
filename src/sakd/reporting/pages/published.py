"""The section on published accuracies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import pandas as pd

from sakd.foundation.errors import require
from sakd.foundation.vocabulary import Published
from sakd.reporting.pages.sections import Block, Facts, Section, Tabular, Text, Warnings
from sakd.reporting.published.entries import (
    BAND_BEST,
    BAND_LAST,
    LAST,
    TEACHER,
    Entry,
    published_gains,
)
from sakd.reporting.published.protocol import PROTOCOLS, standing
from sakd.reporting.published.rows import ENOUGH, Against, Fit, Row
from sakd.reporting.tables import formats
from sakd.reporting.tables.frames import pair_file, pair_name
from sakd.reporting.tables.settings import named
from sakd.reporting.tables.shown import Shown
from sakd.reporting.tables.spread import Spread

SOURCES = (
    "The tables of SAKD (Song et al., arXiv:2205.02399) are of one seed and the best epoch on "
    "test; those of RepDistiller of the last epoch. Each is compared with this study at the same "
    f"epoch. Bands, for means of {ENOUGH} seeds or more: {100 * BAND_LAST:g} points "
    "around teachers, KD and CRD after the last epoch, "
    f"{100 * BAND_BEST:g} around a distiller + KD at the best one."
)

PUBLISHED_INTERVAL = (0.0025, 0.0038)
"""The 95 % interval of the mean published gain, by a bootstrap over pairs; as fractions."""


def published_section(cells: pd.DataFrame, settings: Mapping[str, object]) -> list[Section]:
    """Put a study next to the published accuracies that its settings name; no section without."""
    given = named(settings)
    published = given.get("report.published")
    if published is None:
        return []
    known = ", ".join(PROTOCOLS)
    require(published in PROTOCOLS, f"report.published is {published!r}; known: {known}")
    against = Against(cells, given, cast(Published, published))
    blocks: list[Block] = [Text(SOURCES)]
    others = [str(each) for each in against.departures()]
    if others:
        blocks.append(Warnings((f"No reproduction of the published: {'; '.join(others)}.",)))
    blocks.append(Text(f"Different from the published in any case: {'; '.join(standing(given))}."))
    rows = against.rows()
    for pair in dict.fromkeys(row.entry.pair for row in rows):
        blocks += _tables(pair, [row for row in rows if row.entry.pair == pair])
    blocks.append(Facts((*_gain(against, f" ({Fit.OTHER})" if others else ""), *_rest(against))))
    return [Section("Against the published", tuple(blocks))]


def _tables(pair: tuple[str, str, str], rows: list[Row]) -> Iterator[Block]:
    slips = [f"{row.entry.title}: {row.entry.slip}." for row in rows if row.entry.slip]
    note = f"Slips. {' '.join(slips)}" if slips else ""
    plain = Shown(*(pd.DataFrame(map(part, rows)) for part in (_plain, _plain_values)))
    file, caption = pair_file("published", pair), f"Plain, {pair_name(pair)}"
    yield Tabular(file, caption, *plain, names=3, note=note)
    known = [row for row in rows if not pd.isna(row.entry.sakd)]
    if known:
        sakd = Shown(*(pd.DataFrame(map(part, known)) for part in (_sakd, _sakd_values)))
        caption = f"SAKD at the best epoch, {pair_name(pair)}"
        yield Tabular(pair_file("published_sakd", pair), caption, *sakd)


def _plain_values(row: Row) -> dict[str, float]:
    published = row.entry.plain
    named = {"published": published, **row.plain.columns()}
    return {**named, "difference": row.plain.mean - published, "margin": row.entry.band}


def _sakd_values(row: Row) -> dict[str, float]:
    entry = row.entry
    named = {"published": entry.sakd, **row.sakd.columns()}
    named["difference"] = row.sakd.mean - entry.sakd
    return {**named, "published_gain": entry.sakd - entry.plain, **row.gains.columns("gain_")}


def _plain(row: Row) -> dict[str, str]:
    entry = row.entry
    return {
        "method": entry.title,
        "source": entry.source,
        "epoch": _epoch(entry),
        "published %": formats.percent(entry.plain),
        "ours %": formats.level(row.plain),
        "points": formats.points(row.plain.mean - entry.plain),
        "band": formats.NOTHING if pd.isna(entry.band) else f"± {100 * entry.band:g}",
        "reading": row.fit.value,
    }


def _epoch(entry: Entry) -> str:
    later = entry.method == TEACHER and entry.epoch != LAST
    return f"{entry.epoch}, ours {LAST}" if later else entry.epoch


def _sakd(row: Row) -> dict[str, str]:
    entry = row.entry
    return {
        "method": entry.title,
        "published %": formats.percent(entry.sakd),
        "ours %": formats.level(row.sakd),
        "points": formats.points(row.sakd.mean - entry.sakd),
        "published gain": formats.points(entry.sakd - entry.plain),
        "our gain": formats.with_sd(formats.points(row.gains.mean), row.gains.sd),
        "reading": _reading(row),
    }


def _reading(row: Row) -> str:
    if not row.sakd.n:
        return Fit.NOT_RUN
    if row.entry.slip:
        return Fit.SLIP
    return formats.NOTHING if row.same else Fit.OTHER


def _gain(against: Against, other: str) -> list[tuple[str, str]]:
    """Say what SAKD gains here and there."""
    found, gains = against.gain(), published_gains()["gain"]
    low, high = map(float, found.estimate.interval())
    ours = Fit.NOT_RUN.value
    if found.seeds:
        shown = [formats.points(float(found.estimate.mean)), formats.interval(low, high)]
        number = f"{formats.plural(found.pairs, 'pair')}, {formats.plural(found.seeds, 'seed')}"
        same = formats.points(against.published_gain())
        known = " ".join(part for part in shown if part != formats.NOTHING)
        ours = f"{known} ({number}); published for the same methods: {same}"
    spread = Spread.of(gains)
    published = f"{formats.points(spread.mean)} {formats.interval(*PUBLISHED_INTERVAL)}"
    return [
        (f"gain of SAKD at the best epoch, ours{other}", ours),
        (f"published, all {spread.n} of both data sets", published),
    ]


def _rest(against: Against) -> list[tuple[str, str]]:
    """Name the pairs that only one side has."""
    missing = dict.fromkeys(pair_name(entry.pair) for entry in against.entries(run=False))
    known = {entry.pair for entry in against.entries()}
    pairs = against.cells[["dataset", "teacher", "student"]].itertuples(index=False, name=None)
    new = dict.fromkeys(pair_name(pair) for pair in pairs if pair not in known)
    named = {"published and not run": missing, "run and not published": new}
    return [(title, ", ".join(names)) for title, names in named.items() if names]
