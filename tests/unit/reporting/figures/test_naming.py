"""Names next to points: each at its own, and one label where two would cover each other."""

from __future__ import annotations

import pytest

from sakd.reporting.figures.naming import LINE, Named, names

HEIGHT = 10.0
NEAR, FAR = 0.9 * LINE * HEIGHT, 1.1 * LINE * HEIGHT


def written(*points: tuple[float, float, str]) -> list[tuple[float, float, str]]:
    trace = names([Named(*point) for point in points], HEIGHT, size=10)
    return list(zip(trace.x, trace.y, trace.text, strict=True))


@pytest.mark.parametrize("points", [[], [(1.0, 0.0, "a")], [(1.0, 0.0, "b"), (1.0, -FAR, "a")]])
def test_names_that_lie_apart_stand_at_their_points(points):
    assert written(*points) == points


def test_names_that_would_cover_each_other_are_lines_from_high_to_low_at_their_middle():
    assert written((1.0, 0.0, "low"), (1.0, NEAR, "high")) == [(1.0, NEAR / 2, "high<br>low")]


def test_names_at_one_place_keep_the_order_of_the_points():
    assert written((1.0, 2.0, "b"), (1.0, 2.0, "a")) == [(1.0, 2.0, "b<br>a")]


def test_a_label_that_grows_takes_in_the_names_that_it_comes_to_cover():
    points = [(1.0, 0.0, "a"), (1.0, 0.0, "b"), (1.0, -FAR, "c"), (1.0, -4 * FAR, "d")]
    assert [text for *_, text in written(*points)] == ["a<br>b<br>c", "d"]


def test_columns_are_apart_from_each_other():
    points = [(1.0, 0.0, "a"), (2.0, 0.0, "b")]
    assert written(*points) == points


def test_points_of_one_height_share_a_label_where_that_is_all_the_panel_shows():
    trace = names([Named(1.0, 5.0, "a"), Named(1.0, 5.0, "b")], 0.0, size=10)
    assert list(trace.text) == ["a<br>b"]


def test_names_are_words_and_no_tags():
    assert written((1.0, 0.0, "<b>"))[0][2] == "&lt;b&gt;"
