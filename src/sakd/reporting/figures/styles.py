"""The looks of methods and policies in every picture: one table for all libraries that draw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from sakd.distillers import DISTILLERS
from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables.kinds import REFERENCE
from sakd.routing import POLICIES

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""The colours of Okabe and Ito, "Color Universal Design" (2008), for all kinds of colour vision.

Without their black and yellow, which vanish on dark and on white ground.
"""

GREY = "#808792"
"""The colour of the student alone, and of what is no method."""

PLOTLY_MARKERS = {
    "circle": "circle",
    "square": "square",
    "diamond": "diamond",
    "up": "triangle-up",
    "cross": "cross",
    "down": "triangle-down",
    "star": "star",
    "left": "triangle-left",
    "x": "x",
    "right": "triangle-right",
    "pentagon": "pentagon",
}
"""The markers, as plotly names them."""

MATPLOTLIB_MARKERS = dict(zip(PLOTLY_MARKERS, "osD^Pv*<X>p", strict=True))
"""The markers, as matplotlib names them."""

DASHES = (
    *((), (9, 4), (2, 3), (9, 3, 2, 3), (18, 4), (5, 2), (9, 3, 2, 3, 2, 3)),
    *((18, 3, 2, 3), (2, 8), (9, 3, 9, 3, 2, 3), (18, 3, 6, 3), (9, 9), (18, 3, 2, 3, 2, 3)),
)
"""Lengths of the lines and gaps of each dash, in pixels; the first has no gap."""


class Style(NamedTuple):
    """The look of a name: all three of its parts differ between neighbours of a table.

    Attributes:
        colour: Hexadecimal.
        marker: A key of `PLOTLY_MARKERS` and `MATPLOTLIB_MARKERS`.
        dash: Lengths of lines and gaps, in pixels; empty for a solid line.
    """

    colour: str
    marker: str
    dash: tuple[int, ...]

    @property
    def plotly_dash(self) -> str:
        """Write the dash for plotly."""
        return ",".join(f"{length}px" for length in self.dash) or "solid"


ALONE = Style(GREY, "circle", (4, 4))
"""The look of the student alone."""


def method_styles(names: Iterable[str]) -> dict[str, Style]:
    """Give distillers their looks; the student alone is grey.

    Colour and marker together differ between up to 66 distillers.
    """
    return styles(names, DISTILLERS) | {NONE: ALONE}


def policy_styles(names: Iterable[str]) -> dict[str, Style]:
    """Give policies their looks, plain distillation a solid line; dashes differ between 13."""
    return styles(names, (REFERENCE, *(name for name in POLICIES if name != REFERENCE)))


def combined(method: Style, policy: Style) -> Style:
    """Give a method under a policy the method's colour and marker, and the policy's dash."""
    return Style(method.colour, method.marker, policy.dash)


def styles(names: Iterable[str], table: Iterable[str] = ()) -> dict[str, Style]:
    """Give each name its look.

    A name of the ``table`` has the look of its place there, in every study; another one takes the
    first free place after one that its letters choose.

    Args:
        names: The names to show.
        table: All names that have a place of their own.
    """
    places = {name: place for place, name in enumerate(table)}
    asked = list(dict.fromkeys(names))
    others = sorted(set(asked).difference(places))
    number = max(len(PALETTE) * len(PLOTLY_MARKERS), len(places) + len(others))
    free = set(range(number)).difference(places.values())
    for name in others:
        wished = crc32(name.encode()) % number
        places[name] = min(free, key=lambda place: (place - wished) % number)
        free.remove(places[name])
    return {name: _style(places[name]) for name in asked}


def _style(place: int) -> Style:
    """Give the look of a place: lengths without a common factor make all pairs of parts occur."""
    markers = list(PLOTLY_MARKERS)
    return Style(
        PALETTE[place % len(PALETTE)],
        markers[place % len(markers)],
        DASHES[place % len(DASHES)],
    )
