"""The time of trainings that ran side by side is counted once."""

from __future__ import annotations

import math

import pandas as pd

from sakd.reporting.tables.duration import training_seconds


def lines(*spans: tuple[str, float], **teacher: object) -> pd.DataFrame:
    table = pd.DataFrame(spans, columns=["ended", "seconds"])
    return table.assign(ended="2026-03-01T" + table["ended"] + "+00:00", **teacher)


def test_cells_side_by_side_share_their_time() -> None:
    assert training_seconds(lines(("09:00:10", 10), ("09:00:10", 10), ("09:00:12", 6))) == 12


def test_no_fraction_of_a_second_is_lost() -> None:
    assert training_seconds(lines(("09:00:10.000001", 2), ("09:00:09.250000", 2))) == 2.750001


def test_time_between_trainings_does_not_count() -> None:
    assert training_seconds(lines(("09:00:10", 10), ("11:00:00", 5))) == 15


def test_a_teacher_counts_once() -> None:
    teacher = {"teacher_seconds": 20.0, "teacher_ended": "2026-03-01T08:00:00+00:00"}
    assert training_seconds(lines(("09:00:10", 10), ("09:00:20", 10), **teacher)) == 40


def test_a_teacher_from_a_file_took_no_time_here() -> None:
    teacher = {"teacher_seconds": math.nan, "teacher_ended": None}
    assert training_seconds(lines(("09:00:10", 10), **teacher)) == 10


def test_a_cell_without_a_time_makes_the_sum_unknown() -> None:
    known = lines(("09:00:10", 10), ("09:00:20", 10))
    assert math.isnan(training_seconds(known.assign(ended=[known["ended"][0], None])))
    assert math.isnan(training_seconds(known.drop(columns="ended")))
    assert math.isnan(training_seconds(known[:0]))
