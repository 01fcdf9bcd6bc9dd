"""A plan in words: a line for each part, and one for all."""

from __future__ import annotations

import pytest

from sakd.study.plan import DAY, HOUR, MINUTE, Line, Plan, duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "-"),
        (0.01, "1 s"),
        (9.4, "9 s"),
        (9.6, "10 s"),
        (43, "45 s"),
        (97, "95 s"),
        (98, "2 min"),
        (59.4 * MINUTE, "59 min"),
        (59.6 * MINUTE, "1 h"),
        (200 * MINUTE, "3 h 20 min"),
        (9.9 * HOUR, "9 h 50 min"),
        (30.2 * HOUR, "30 h"),
        (71.6 * HOUR, "3 days"),
        (12.3 * DAY, "12 days"),
        (1234 * DAY, "1,200 days"),
    ],
)
def test_a_duration_is_as_exact_as_an_estimate_deserves(seconds: float, said: str) -> None:
    assert duration(seconds) == said


TEACHER = Line("teacher resnet20", total=1, done=0, seconds=6)
PAIR = Line("resnet20/resnet8", total=27, done=12, seconds=34)


@pytest.mark.parametrize(
    ("teachers", "pairs", "said"),
    [
        ([], [PAIR], "27 cells: 12 done, 15 to do; about 35 s here"),
        (
            [TEACHER],
            [PAIR, PAIR],
            "54 cells: 24 done, 30 to do, 1 teacher to train; about 75 s here",
        ),
        ([TEACHER, TEACHER], [], "0 cells: all done, 2 teachers to train; about 10 s here"),
        ([], [Line("a/b", 1, 1)], "1 cell: all done"),
        ([Line("teacher a", 1, 1)], [Line("a/b", 4, 4)], "4 cells: all done"),
    ],
)
def test_a_line_sums_it_up(teachers: list[Line], pairs: list[Line], said: str) -> None:
    assert Plan(tuple(teachers), tuple(pairs)).summary() == said


def test_the_parts_are_listed_in_columns() -> None:
    assert Plan((TEACHER,), (PAIR, Line("a/b", 3, 3))).table().splitlines() == [
        "                  cells  done  to do  time",
        "teacher resnet20      1     0      1   6 s",
        "resnet20/resnet8     27    12     15  35 s",
        "a/b                   3     3      0     -",
    ]
