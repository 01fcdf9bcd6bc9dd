"""Doubts about the data and about networks that learned little."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sakd.data import DataCard
from sakd.foundation.names import listed
from sakd.reporting.tables import formats
from sakd.reporting.tables.chance import Majority, below
from sakd.reporting.tables.columns import TEST
from sakd.reporting.tables.frames import PAIR
from sakd.reporting.tables.reference import STUDENT, TEACHER, reference_rows


def data_caveats(data: DataCard | None) -> Iterator[str]:
    """Say that classes are uneven, or that a split lacks some."""
    if not data:
        return
    if data.uneven:
        share = formats.percent(data.majority_share("test"))
        yield (
            f"Uneven classes: the largest has {data.unevenness:.1f} times the images of the "
            f"smallest, and always naming the largest is right on {share} % of the test images. "
            "Read balanced accuracy too."
        )
    for split in ("val", "test"):
        if lacking := data.without_images(split):
            number = f"{len(lacking)} of {len(data.classes)} classes"
            yield (
                f"No {split} image of {number} ({listed(lacking)}): "
                f"nothing is measured of them there."
            )


def teacher_caveats(cells: pd.DataFrame, data: DataCard | None) -> Iterator[str]:
    """Name networks near chance, and teachers that are below the student alone."""
    if data:
        yield from _near_chance(cells, Majority.of(data))
    rows = reference_rows(cells).set_index([*PAIR, "model"])["mean"].unstack("model")
    for (_, teacher, student), means in rows.iterrows():
        if below(means[TEACHER], means[STUDENT]):
            yield (
                f"The teacher {teacher} ({formats.percent(means[TEACHER])} %) is below "
                f"{student} trained alone ({formats.percent(means[STUDENT])} %): "
                "train it better before you judge what it teaches."
            )


def _near_chance(cells: pd.DataFrame, majority: Majority) -> Iterator[str]:
    share, bound = formats.percent(majority.share), formats.percent(majority.bound)
    rows = reference_rows(cells)
    teachers = rows[rows["model"] == TEACHER].drop_duplicates(["dataset", "teacher"])
    for line in teachers.to_dict("records"):
        if line["mean"] <= majority.bound:
            where = "below" if below(line["mean"], majority.share) else "near"
            yield (
                f"The teacher {line['teacher']} ({formats.percent(line['mean'])} %) is {where} "
                f"chance: always naming the largest class gives {share} %, and up to {bound} % "
                f"is noise on {majority.images} test images. Distilling from it judges no method."
            )
    lost = cells.loc[cells["finished"] & (cells[TEST] <= majority.bound), "cell"]
    if len(lost):
        number = formats.plural(len(lost), "student")
        yield f"Near chance, at most {bound} %: {number} ({listed(list(lost))})."
