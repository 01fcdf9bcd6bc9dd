"""The tables of classes as text."""

from __future__ import annotations

import pandas as pd

from sakd.data import DataCard
from sakd.measures.names import teacher_id
from sakd.reporting.tables.classes import FEW
from sakd.reporting.tables.formats import interval, percent, points
from sakd.reporting.tables.frames import PAIR
from sakd.reporting.tables.shown import Shown

SHOWN = 20
"""Classes, or losses, that a table shows; of more the worst."""


def shown_classes(
    rows: pd.DataFrame, cells: pd.DataFrame, predictions: pd.DataFrame, data: DataCard | None
) -> Shown:
    """Show accuracies by class for one pair: the teacher, the student alone, and distilled ones.

    Args:
        rows: As `class_rows` gives them.
        cells: The cells of the pair.
        predictions: One line per (cell or teacher, test image).
        data: The card of the data, with the names of the classes.

    Returns:
        ``class``, ``images``, ``teacher``, ``student alone``, the mean of the distilled and the
        lowest of them with its method. Of many classes those with the lowest mean difference.
    """
    found = rows.groupby("label")
    table = found[["alone", "distilled", "difference"]].mean()
    table["images"] = found["images"].first()
    lowest = rows.loc[found["distilled"].idxmin()].set_index("label")
    table["lowest"] = lowest["distilled"]
    table["method"] = lowest["distiller"] + " " + lowest["policy"]
    table["of_teacher"] = _of_teacher(cells, predictions)
    if len(table) > SHOWN:
        table = table.nsmallest(SHOWN, "difference", keep="all")[:SHOWN]
    text = {
        "class": [_class(label, data) for label in table.index],
        "images": [_images(count) for count in table["images"]],
        "teacher": [percent(value) for value in table["of_teacher"]],
        "student alone": [percent(value) for value in table["alone"]],
        "distilled, mean": [percent(value) for value in table["distilled"]],
        "mean difference, points": [points(value) for value in table["difference"]],
        "lowest of the distilled": [percent(value) for value in table["lowest"]],
        "which": table["method"].tolist(),
    }
    values = table.drop(columns="method").reset_index()
    return Shown(pd.DataFrame(text), values)


def _of_teacher(cells: pd.DataFrame, predictions: pd.DataFrame) -> pd.Series:
    dataset, teacher, _ = cells[PAIR].iloc[0]
    answers = predictions[predictions["cell"] == teacher_id(dataset, teacher)]
    return answers["right"].groupby(answers["label"]).mean()


def hurt_classes(rows: pd.DataFrame, data: DataCard | None) -> Shown:
    """Show the classes that a method hurts, the largest loss first."""
    hurt = rows[rows["hurt"]].sort_values("difference", kind="stable")[:SHOWN]
    text = {
        "distiller": hurt["distiller"].tolist(),
        "policy": hurt["policy"].tolist(),
        "class": [_class(label, data) for label in hurt["label"]],
        "images": [_images(count) for count in hurt["images"]],
        "student alone %": [percent(value) for value in hurt["alone"]],
        "distilled %": [percent(value) for value in hurt["distilled"]],
        "difference, points": [points(value) for value in hurt["difference"]],
        "95 % interval": list(map(interval, hurt["low"], hurt["high"])),
        "seeds": hurt["seeds"].astype(str).tolist(),
    }
    values = hurt.drop(columns=[*PAIR, "distiller", "policy", "hurt"]).reset_index(drop=True)
    return Shown(pd.DataFrame(text), values)


def _class(label: int, data: DataCard | None) -> str:
    return data.classes[label] if data else str(label)


def _images(count: int) -> str:
    return f"{count} (few)" if count < FEW else str(count)
