"""The pictures of a verdict, as SVG that suits light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, TOP, GAP = 190.0, 96.0, 60.0, 78.0, 46.0

NAMES, STEP = 150.0, 24.0
"""Room for the names of bars, and from one bar to the next."""

_STYLE = """
    svg { --ink: #1c2733; --soft: #5a6977; --page: #ffffff; --line: #c3ccd4;
          --a: #1c2733; --b: #1f6fb5; --c: #b86e0a; --d: #c23b5a; --e: #2a7f62; }
    @media (prefers-color-scheme: dark) {
      svg { --ink: #e8edf2; --soft: #a5b2be; --page: #14191f; --line: #3c4650;
            --a: #e8edf2; --b: #62abe8; --c: #e0a04c; --d: #ee7d97; --e: #66c7a3; }
    }
    text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink); }
    .name { font-weight: 600; } .small { font-size: 11px; fill: var(--soft); }
    .end { text-anchor: end; } .middle { text-anchor: middle; } .page { fill: var(--page); }
    .frame { fill: none; stroke: var(--line); } .zero { stroke: var(--soft); }
    .band { stroke: none; opacity: 0.18; } .margin { fill: var(--line); opacity: 0.35; }
    polyline, .bar { fill: none; stroke-width: 1.8; }
"""
_STYLE += "\n".join(
    f"    .{name} {{ stroke: var(--{name}); }} .fill-{name} {{ fill: var(--{name}); }}"
    for name in "abcde"
)

LOOKS = (("a", ""), ("b", "6 3"), ("c", "2 3"), ("d", "10 3 2 3"), ("e", "12 4"))
"""Classes of the lines of a panel, and their dashes: no two lines differ by colour alone."""


class Curve(NamedTuple):
    """A mean over epochs, with what it is a mean of: all from 0 to 1."""

    name: str
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


class Bar(NamedTuple):
    """A difference with its interval, in points; ``look`` is a position in `LOOKS`."""

    name: str
    mean: float
    low: float
    high: float
    look: int


def curves(
    title: str, text: str, columns: Sequence[str], rows: Mapping[str, Sequence[Sequence[Curve]]]
) -> str:
    """Draw panels of curves: a row for each name of ``rows``, a panel for each of ``columns``."""
    names = dict.fromkeys(c.name for panels in rows.values() for cs in panels for c in cs)
    looks = dict(zip(names, LOOKS * len(names), strict=False))
    return _page(title, text, columns, len(rows), _curve_parts(columns, rows, looks))


def _curve_parts(
    columns: Sequence[str],
    rows: Mapping[str, Sequence[Sequence[Curve]]],
    looks: Mapping[str, tuple[str, str]],
) -> Iterator[str]:
    for k, (name, (kind, dash)) in enumerate(looks.items()):
        x = LEFT + 105 * k
        yield _line(kind, dash, [(x, 26), (x + 26, 26)])
        yield f'<text x="{x + 32:.0f}" y="30">{escape(name)}</text>'
    for row, (name, panels) in enumerate(rows.items()):
        y = TOP + row * (HEIGHT + GAP)
        yield f'<text class="name" x="8" y="{y + HEIGHT / 2:.0f}">{escape(name)}</text>'
        for x, column, panel in zip(_places(columns), columns, panels, strict=True):
            yield from _frame(x, y, column)
            for value in (0, 1):
                up = y + HEIGHT * (1 - value) + 4
                yield f'<text class="small end" x="{x - 5:.0f}" y="{up:.0f}">{value}</text>'
            last = max((len(curve.mean) for curve in panel), default=1)
            for place, label, kind in ((x, 1, ""), (x + WIDTH, last, " end")):
                down = y + HEIGHT + 14
                yield f'<text class="small{kind}" x="{place:.0f}" y="{down:.0f}">{label}</text>'
            for curve in panel:
                yield from _curve(curve, x, y, *looks[curve.name])


def _curve(curve: Curve, x: float, y: float, kind: str, dash: str) -> Iterator[str]:
    across = max(len(curve.mean) - 1, 1)

    def along(values: Sequence[float]) -> list[tuple[float, float]]:
        return [(x + WIDTH * k / across, y + HEIGHT * (1 - v)) for k, v in enumerate(values)]

    around = _points([*along(curve.high), *reversed(along(curve.low))])
    yield f'<polygon class="band fill-{kind}" points="{around}"/>'
    yield _line(kind, dash, along(curve.mean))


def bars(
    title: str,
    text: str,
    columns: Mapping[str, Sequence[Bar]],
    margin: float,
) -> str:
    """Draw columns of differences with their intervals; those within ``margin`` lie on grey."""
    rows = max(len(found) for found in columns.values())
    height = STEP * rows + 12
    parts = _bar_parts(columns, margin, height)
    return _page(title, text, list(columns), 1, parts, height, NAMES)


class _Scale(NamedTuple):
    """Where points lie across a panel."""

    left: float
    low: float
    high: float

    @classmethod
    def of(cls, left: float, found: Sequence[Bar], margin: float) -> _Scale:
        """Choose the scale on which all of ``found`` and the margin can be seen."""
        ends = [value for bar in found for value in (bar.low, bar.high) if math.isfinite(value)]
        return cls(left, 1.08 * min(-margin, *ends, 0.0), 1.08 * max(margin, *ends, 0.0))

    def at(self, value: float) -> float:
        """Give the place of ``value``."""
        return self.left + WIDTH * (value - self.low) / (self.high - self.low)


def _bar_parts(columns: Mapping[str, Sequence[Bar]], margin: float, height: float) -> Iterator[str]:
    for x, (column, found) in zip(_places(list(columns), NAMES), columns.items(), strict=True):
        scale = _Scale.of(x, found, margin)
        yield from _ground(scale, margin, height)
        yield from _frame(x, TOP, column, height)
        for row, bar in enumerate(found):
            y = TOP + STEP * row + 18
            if x == _places([column], NAMES)[0]:
                place = f'x="{x - 10:.0f}" y="{y + 4:.0f}"'
                yield f'<text class="end" {place}>{escape(bar.name)}</text>'
            if math.isfinite(bar.low):
                kind, dash = LOOKS[bar.look % len(LOOKS)]
                yield _line(kind, dash, [(scale.at(bar.low), y), (scale.at(bar.high), y)])
                middle = f'cx="{scale.at(bar.mean):.1f}" cy="{y}"'
                yield f'<circle class="fill-{kind}" {middle} r="3.6"/>'


def _ground(scale: _Scale, margin: float, height: float) -> Iterator[str]:
    """Yield what lies below the bars: the margin, the line of zero, the numbers."""
    low, zero, high = map(scale.at, (-margin, 0.0, margin))
    size = f'y="{TOP}" width="{high - low:.1f}" height="{height}"'
    yield f'<rect class="margin" x="{low:.1f}" {size}/>'
    yield f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="{TOP}" y2="{TOP + height}"/>'
    for value in _ticks(scale.low, scale.high):
        place = f'x="{scale.at(value):.1f}" y="{TOP + height + 14:.0f}"'
        yield f'<text class="small middle" {place}>{_signed(value)}</text>'


def _signed(value: float) -> str:
    return f"{value:+g}" if value else "0"


def _ticks(low: float, high: float) -> list[float]:
    """Choose round numbers between ``low`` and ``high``: zero among them, five or so."""
    raw = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * k for k in (1, 2, 5, 10) if size * k >= raw)
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _places(columns: Sequence[str], left: float = LEFT) -> list[float]:
    return [left + 24 + k * (WIDTH + GAP) for k in range(len(columns))]


def _frame(x: float, y: float, title: str, height: float = HEIGHT) -> Iterator[str]:
    yield f'<rect class="frame" x="{x}" y="{y}" width="{WIDTH}" height="{height}"/>'
    yield f'<text class="small" x="{x}" y="{y - 7}">{escape(title)}</text>'


def _line(kind: str, dash: str, points: Sequence[tuple[float, float]]) -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline class="{kind}"{dashed} points="{_points(points)}"/>'


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _page(
    title: str,
    text: str,
    columns: Sequence[str],
    rows: int,
    parts: Iterator[str],
    height: float = HEIGHT,
    left: float = LEFT,
) -> str:
    width = left + 24 + len(columns) * (WIDTH + GAP)
    tall = TOP + rows * (height + GAP)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {tall:.0f}" role="img" '
        'aria-labelledby="title desc">'
    )
    said = f'<title id="title">{escape(title)}</title><desc id="desc">{escape(text)}</desc>'
    page = f'<rect class="page" width="{width:.0f}" height="{tall:.0f}"/>'
    return "\n".join([head, said, f"<style>{_STYLE}</style>{page}", *parts, "</svg>"]) + "\n"
