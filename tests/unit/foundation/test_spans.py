"""Time within spans is counted once."""

from __future__ import annotations

import pytest

from sakd.foundation.spans import covered


@pytest.mark.parametrize(
    ("spans", "time"),
    [
        ([], 0),
        ([(3, 5)], 2),
        ([(2, 5), (0, 4), (7, 8), (1, 3)], 6),  # overlapping, in any order, with a gap
        ([(0, 9), (2, 3), (4, 5)], 9),  # within another
        ([(-4, -2), (-2, 1)], 5),  # one after the other, before zero
    ],
)
def test_what_several_spans_cover_counts_once(
    spans: list[tuple[float, float]], time: float
) -> None:
    assert covered(spans) == time
