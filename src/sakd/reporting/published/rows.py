"""A study next to the published accuracies of its pairs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import pandas as pd

from sakd.foundation.vocabulary import NONE, Published
from sakd.reporting.published.entries import BEST, LAST, STUDENT, TEACHER, Entry, entries
from sakd.reporting.published.protocol import (
    KD_WEIGHT,
    PROTOCOLS,
    Departure,
    Settings,
    departures,
)
from sakd.reporting.tables import reference
from sakd.reporting.tables.columns import SETTING, TEST, TEST_BEST
from sakd.reporting.tables.contrasts import METHOD, Contrast, Difference, difference, duels
from sakd.reporting.tables.frames import PAIR, of_pair
from sakd.reporting.tables.kinds import REFERENCE
from sakd.reporting.tables.outcomes import Outcomes
from sakd.reporting.tables.settings import read_settings
from sakd.reporting.tables.spread import Spread
from sakd.reporting.tables.verdicts import ADAPTIVE

ENOUGH = 3
"""The fewest seeds whose mean is held against a published accuracy."""

_COLUMNS = {LAST: TEST, BEST: TEST_BEST}


class Fit(StrEnum):
    """How a mean of a study stands to a published accuracy."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    NOT_RUN = "not run"
    SLIP = "slip"
    OTHER = "other protocol"
    NO_BAND = "no band"
    TOO_FEW = "too few seeds"


class Row(NamedTuple):
    """A published row with what a study has of it. Accuracies are fractions.

    Attributes:
        entry: The published row.
        plain: The accuracies of plain distillation, or of the network alone.
        fit: How their mean stands to the published one.
        sakd: The accuracies with spots chosen.
        gains: Their differences from plain distillation, seed by seed.
        same: Whether `sakd` comes from the published protocol.
    """

    entry: Entry
    plain: Spread
    fit: Fit
    sakd: Spread
    gains: Spread
    same: bool


@dataclass(frozen=True)
class Against:
    """A study and the published accuracies that it names.

    Attributes:
        cells: The results, see `sakd.reporting.tables.frames.prepared`.
        settings: The settings of the study, by dotted names.
        published: What the study names.
    """

    cells: pd.DataFrame
    settings: Settings
    published: Published

    def entries(self, *, run: bool = True) -> list[Entry]:
        """List the published rows of the data, of pairs that are in the study or are not."""
        pairs = set(self.cells[PAIR].itertuples(index=False, name=None))
        dataset = PROTOCOLS[self.published]["data.name"]
        return [
            entry
            for entry in entries()
            if entry.dataset == dataset and (entry.pair in pairs) == run
        ]

    def departures(self) -> list[Departure]:
        """List where the settings behind any of its accuracies are not the published ones."""
        found: list[Departure] = []
        for row in self.rows():
            found += self._departures(row.entry, REFERENCE) if row.plain.n else []
            found += self._departures(row.entry, ADAPTIVE) if row.sakd.n else []
        return list(dict.fromkeys(found))

    def rows(self) -> list[Row]:
        """Put the study next to every published row of its pairs."""
        gains = self._duels()
        return [self._row(entry, gains) for entry in self.entries()]

    def gain(self) -> Difference:
        """Pool the gains of SAKD at the best epoch over published rows without a slip."""
        found = self._duels()
        named = {(*entry.pair, entry.method) for entry in self.entries() if _gains(entry)}
        methods = found[METHOD].itertuples(index=False, name=None)
        kept = np.array([method in named for method in methods], dtype=bool)
        return difference(Outcomes(self.cells), found[kept])

    def published_gain(self) -> float:
        """Average the published gains of the rows whose gains `gain` pools; NaN without any."""
        run = [row.entry for row in self.rows() if row.gains.n and _gains(row.entry)]
        return Spread.of(entry.sakd - entry.plain for entry in run).mean

    def _row(self, entry: Entry, duels: pd.DataFrame) -> Row:
        plain, sakd = self._ours(entry, REFERENCE), self._ours(entry, ADAPTIVE)
        of_entry = of_pair(duels, entry.pair)
        gains = of_entry.loc[of_entry["distiller"] == entry.method, "difference"]
        same = not self._departures(entry, ADAPTIVE)
        departs = bool(self._departures(entry, REFERENCE))
        return Row(entry, plain, fit(entry, plain, departs=departs), sakd, Spread.of(gains), same)

    def _departures(self, entry: Entry, policy: str) -> list[Departure]:
        settings = {**self.settings, **self._own_settings(entry, policy)}
        return departures(settings, self.published, entry, policy)

    def _own_settings(self, entry: Entry, policy: str) -> Settings:
        """Give the settings that cells of ``entry`` have for themselves."""
        if SETTING not in self.cells or entry.method == TEACHER:
            return {}
        cells = of_pair(self.cells, entry.pair)
        texts = cells.loc[_chosen(cells, entry, policy), SETTING].dropna().unique()
        return {name: value for text in texts for name, value in read_settings(str(text)).items()}

    def _ours(self, entry: Entry, policy: str) -> Spread:
        cells = of_pair(self.cells, entry.pair)
        if entry.method == TEACHER:
            rows = reference.reference_rows(cells)
            teacher = rows[rows["model"] == reference.TEACHER].to_dict("records")
            return Spread(*(teacher[0][name] for name in ("mean", "sd", "n")))
        chosen = _chosen(cells, entry, policy) & cells["finished"]
        unlike = entry.kd_weight == 0 and self.settings.get(KD_WEIGHT) != 0
        return Spread.of([] if unlike else cells.loc[chosen, _COLUMNS[entry.epoch]])

    def _duels(self) -> pd.DataFrame:
        at_best = self.cells.assign(**{TEST: self.cells[TEST_BEST]})
        return duels(at_best, Contrast(ADAPTIVE, REFERENCE)).dropna(subset="difference")


def _chosen(cells: pd.DataFrame, entry: Entry, policy: str) -> pd.Series:
    """Tell which cells of a pair are those of ``entry``."""
    method, policy = (NONE, NONE) if entry.method == STUDENT else (entry.method, policy)
    return (cells["distiller"] == method) & (cells["policy"] == policy)


def _gains(entry: Entry) -> bool:
    return not np.isnan(entry.sakd) and not entry.slip


def fit(entry: Entry, ours: Spread, *, departs: bool) -> Fit:
    """Judge the mean of a study by a published accuracy of plain distillation, or of a network.

    Args:
        entry: The published row.
        ours: The accuracies of the study.
        departs: Whether they come from another protocol.
    """
    refusals = {
        Fit.NOT_RUN: not ours.n,
        Fit.SLIP: bool(entry.slip),
        Fit.OTHER: departs,
        Fit.NO_BAND: np.isnan(entry.band),
        Fit.TOO_FEW: ours.n < ENOUGH,
    }
    for reason, holds in refusals.items():
        if holds:
            return reason
    near = round(abs(ours.mean - entry.plain), 9) <= entry.band
    return Fit.INSIDE if near else Fit.OUTSIDE
