"""The published accuracies, from the files of this package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import StringIO
from typing import NamedTuple

import numpy as np
import pandas as pd

from sakd.reporting.tables.frames import PAIR
from sakd.reporting.tables.kinds import PLAIN_KD

TEACHER, STUDENT = "teacher", "student"
"""The methods of networks that are trained alone."""

LAST, BEST = "last", "best"
"""The epoch of an accuracy: the last, or the best on test."""

SAKD, REPDISTILLER = "SAKD", "RepDistiller"
"""The sources."""

BAND_LAST, BAND_BEST = 0.004, 0.005
"""How far a mean over seeds may be from a published accuracy, as fractions, by its epoch."""

_FILES = {REPDISTILLER: "repdistiller.csv", SAKD: "sakd.csv"}
_ALONE = (TEACHER, STUDENT)


class Entry(NamedTuple):
    """A published row. Accuracies are fractions, NaN where there is none.

    Attributes:
        source: `SAKD` or `REPDISTILLER`.
        dataset: The name of the data here.
        teacher: The teacher's network.
        student: The student's network.
        method: `TEACHER`, `STUDENT`, or the distiller's name.
        kd_weight: The weight of the KD that joins the distiller; NaN where none can.
        epoch: `LAST` or `BEST`.
        plain: The accuracy of plain distillation, or of the network alone.
        sakd: The accuracy with spots chosen.
        slip: Why the row cannot be right as printed, or is of another network; empty if it can.
    """

    source: str
    dataset: str
    teacher: str
    student: str
    method: str
    kd_weight: float
    epoch: str
    plain: float
    sakd: float
    slip: str

    @property
    def pair(self) -> tuple[str, str, str]:
        """The data with both networks, as `PAIR` names them."""
        return self.dataset, self.teacher, self.student

    @property
    def title(self) -> str:
        """The method, with the KD that joins it."""
        return f"{self.method} + {PLAIN_KD}" if self.kd_weight > 0 else self.method

    @property
    def band(self) -> float:
        """How far a mean over seeds may be away from `plain`; NaN where there is no such band.

        There is one for what RepDistiller reports of teachers, KD and distillers, and for what the
        authors of SAKD report of plain distillation by a distiller and KD.
        """
        if self.method == STUDENT:
            return np.nan
        if self.epoch == LAST:
            return BAND_LAST
        return np.nan if self.method in (TEACHER, PLAIN_KD) else BAND_BEST


@cache
def entries() -> tuple[Entry, ...]:
    """List every published row once; what one source quotes from the other is the other's."""
    table = pd.concat([_read(source) for source in _FILES], ignore_index=True)
    same = [*PAIR, "method", "epoch", "kd_weight", "plain"]
    kept = table.drop_duplicates(same).dropna(subset="plain")
    return tuple(Entry(**line) for line in kept[list(Entry._fields)].to_dict("records"))


def _read(source: str) -> pd.DataFrame:
    text = (files(__package__) / _FILES[source]).read_text(encoding="utf-8")
    table = pd.read_csv(StringIO(text), comment="#")
    joined = ~table["method"].isin((*_ALONE, PLAIN_KD))
    default = {"kd_weight": joined.map({True: 1.0, False: np.nan}), "epoch": LAST, "slip": ""}
    table = table.assign(**{name: each for name, each in default.items() if name not in table})
    renames = {"top1": "plain", "plain_top1": "plain", "sakd_top1": "sakd"}
    table = table.rename(columns=renames).assign(source=source, slip=table["slip"].fillna(""))
    return table.assign(
        **{name: table[name] / 100 if name in table else np.nan for name in ("plain", "sakd")}
    )


def published_gains() -> pd.DataFrame:
    """List the gains of SAKD over plain distillation: ``dataset, teacher, student, gain``."""
    gains = [(*each.pair, each.sakd - each.plain) for each in entries()]
    return pd.DataFrame(gains, columns=[*PAIR, "gain"]).dropna()
