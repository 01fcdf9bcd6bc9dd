"""Every figure of a report is a picture too: the same marks, the same bytes."""

from __future__ import annotations

import random
import re
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest

from sakd.foundation.errors import UserError
from sakd.reporting import picture_files
from sakd.reporting.figures.panels import blank, label, panels, place
from sakd.reporting.files.drawing import picture
from sakd.reporting.pages.sections import Report

MOST = 150_000
"""Bytes of a picture."""


@pytest.fixture(scope="module")
def pictures(full: Report) -> dict[str, bytes]:
    return picture_files(full)


def words(svg: bytes) -> list[str]:
    """All texts of a picture."""
    return [
        "".join(text.itertext())
        for text in ElementTree.fromstring(svg).iter()
        if text.tag.endswith("}text")
    ]


def test_every_figure_is_a_picture_of_moderate_size(
    full: Report, pictures: dict[str, bytes]
) -> None:
    assert list(pictures) == [f"{chart.name}.svg" for chart in full.charts]
    assert all(len(svg) < MOST for svg in pictures.values())


def test_a_picture_loads_nothing_and_knows_no_date(pictures: dict[str, bytes]) -> None:
    for svg in pictures.values():
        assert b"<script" not in svg
        assert b"<dc:date>" not in svg
        links = re.findall(rb'href="([^"]*)"', svg)
        assert all(link.startswith(b"#") for link in links)


def test_the_same_figure_gives_the_same_bytes(full: Report, pictures: dict[str, bytes]) -> None:
    random.seed(1)  # of which matplotlib makes names, where it is left alone
    assert picture_files(full) == pictures


def test_a_picture_says_what_the_figure_says(full: Report, pictures: dict[str, bytes]) -> None:
    for chart in full.charts:
        shown = words(pictures[f"{chart.name}.svg"])
        layout = chart.figure.layout
        axes = [layout[name] for name in layout if name.startswith(("xaxis", "yaxis"))]
        titles = {axis.title.text for axis in axes if axis.title.text}
        panels = {note.text.replace("&gt;", ">") for note in layout.annotations}
        assert titles | panels <= set(shown)
        texts = [text for trace in chart.figure.data if "text" in trace.mode for text in trace.text]
        assert {line for text in texts for line in text.split("<br>")} <= set(shown)


def points(*, x: list[float], y: list[float], **look: object) -> go.Figure:
    figure = panels(["title"], panel_height=200)
    return figure.add_trace(go.Scatter(x=x, y=y, mode="markers", **look), **place(0))


def test_intervals_across_and_upright_are_drawn_and_no_interval_is_no_line() -> None:
    marker = {"symbol": "circle", "size": 8, "color": "#123456"}
    lines = []
    for side in ("x", "y"):
        lengths = {"type": "data", "array": [0.5, None, 1.0], "thickness": 1, "color": "#654321"}
        figure = points(
            x=[1.0, 2.0, 4.0], y=[0.0, 3.0, 1.0], marker=marker, **{f"error_{side}": lengths}
        )
        path = r'<path d="M ([\d.]+) ([\d.]+) L ([\d.]+) ([\d.]+) " [^>]*stroke: #654321'
        lines.append(np.array(re.findall(path, _flat(figure)), dtype=float))
    across, upright = lines
    assert len(across) == len(upright) == 2
    assert (across[:, 1] == across[:, 3]).all()
    assert (upright[:, 0] == upright[:, 2]).all()
    assert np.diff(across[:, [0, 2]]).ravel()[1] == pytest.approx(
        2 * np.diff(across[:, [0, 2]])[0, 0]
    )


def test_a_point_lies_where_its_numbers_say() -> None:
    marker = {"symbol": "circle", "size": 8, "color": "#123456"}
    figure = points(x=[1.0, 2.0, 4.0], y=[0.0, 3.0, 1.0], marker=marker)
    found = re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*fill: #123456', _flat(figure))
    x, y = np.array(found, dtype=float).T
    assert (x[1] - x[0]) / (x[2] - x[0]) == pytest.approx(1 / 3, abs=1e-4)
    assert (y[0] - y[2]) / (y[0] - y[1]) == pytest.approx(1 / 3, abs=1e-4)


def test_a_logarithmic_axis_is_one_in_the_picture_too() -> None:
    marker = {"symbol": "circle", "size": 8, "color": "#123456"}
    figure = points(x=[1e4, 1e5, 1e7], y=[0.0, 3.0, 1.0], marker=marker)
    figure.update_xaxes(type="log", range=[3.5, 7.5])
    found = re.findall(r'<use [^>]*x="([\d.]+)" y="[\d.]+"[^>]*fill: #123456', _flat(figure))
    low, middle, high = map(float, found)
    assert (middle - low) / (high - low) == pytest.approx(1 / 3, abs=1e-4)
    assert {"10k", "100k", "1M"} <= set(words(picture(figure)))
    figure.update_xaxes(range=[-1, 0.5])
    assert {"0.1", "0.5", "2"} <= set(words(picture(figure)))


def _flat(figure: go.Figure) -> str:
    return " ".join(picture(figure).decode().split())


def test_hollow_points_differ_from_filled_ones() -> None:
    looks = [{"symbol": symbol, "size": 8, "color": "#123456"} for symbol in ("x", "x-open")]
    filled, hollow = (_flat(points(x=[1.0], y=[1.0], marker=look)) for look in looks)
    assert "fill: #123456" in filled
    assert "fill: #123456" not in hollow
    assert "stroke: #123456" in hollow


def test_names_from_data_are_text() -> None:
    name = "</svg><script>a$b$_1&amp;"
    figure = panels([label(name)], panel_height=200)
    figure.add_trace(go.Scatter(x=[1], y=[1], mode="markers", marker_size=3), **place(0))
    figure.update_traces(marker_color="black")
    assert b"<script" not in picture(figure)


def test_an_empty_figure_says_why() -> None:
    assert "No gain: <no> seed." in words(picture(blank("No gain: <no> seed.")))


def test_marks_that_no_picture_has_are_refused() -> None:
    figure = panels(["title"], panel_height=200).add_trace(go.Bar(x=[1], y=[1]), **place(0))
    with pytest.raises(UserError, match=r"Bar.*points"):
        picture(figure)
