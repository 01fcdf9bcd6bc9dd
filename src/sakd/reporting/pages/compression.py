"""The tables of accuracy and cost in one number."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from sakd.data import DataCard
from sakd.reporting.pages.sections import Tabular
from sakd.reporting.pages.wording import COMPRESSION, OVER_STUDENTS
from sakd.reporting.tables import formats
from sakd.reporting.tables.compression import compression_rows, method_rows

_NAMES = ["student", "distiller", "policy", "teacher"]
_METHOD = ["distiller", "policy", "teacher", "family"]


def compression_tables(cells: pd.DataFrame, data: DataCard | None) -> Iterator[Tabular]:
    """Show what methods are worth in size; nothing where costs are not known.

    Args:
        cells: The results, see `sakd.reporting.tables.frames.prepared`.
        data: The card of the data, whose number of classes counts; None leaves out the table over
            students.
    """
    if not (rows := compression_rows(cells)).empty:
        values = rows.drop(columns=["dataset", *_NAMES, "bound"])
        caption = "Accuracy and cost in one number"
        text = _of_networks(rows)
        yield Tabular("compression", caption, text, values, names=len(_NAMES), note=COMPRESSION)
    if data is not None and not (over := method_rows(cells, len(data.classes))).empty:
        values = over.drop(columns=["dataset", *_METHOD])
        caption = "Accuracy and cost over the students of a family"
        text = _of_methods(over)
        yield Tabular("families", caption, text, values, names=len(_METHOD), note=OVER_STUDENTS)


def _of_networks(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[_NAMES].assign(
        **{
            "test %": rows["test"].map(formats.percent),
            "million MACs": (rows["macs"] / 1e6).map(formats.number),
            "of the teacher": rows["compression"].map(_times),
            "equal cost": [
                bound + _times(value)
                for bound, value in zip(rows["bound"], rows["equal_cost"], strict=True)
            ],
            "recovered %": rows["recovered"].map(formats.percent),
            "NetScore": rows["netscore"].map(formats.number),
            "distillation metric": [formats.number(one, 3) for one in rows["distillation_metric"]],
        }
    )


def _of_methods(rows: pd.DataFrame) -> pd.DataFrame:
    ends = zip(rows["low"], rows["high"], strict=True)
    return rows[_METHOD].assign(
        students=rows["students"].map(str),
        **{
            "cost at equal accuracy, %": rows["bd_cost"].map(formats.points),
            "95 % interval": [formats.interval(*each) for each in ends],
            "n": rows["n"].map(str),
            "hypervolume": [formats.number(one, 3) for one in rows["hypervolume"]],
            "alone": [formats.number(one, 3) for one in rows["hypervolume_alone"]],
        },
    )


def _times(ratio: float) -> str:
    return formats.NOTHING if math.isnan(ratio) else f"{ratio:.2f}x"
