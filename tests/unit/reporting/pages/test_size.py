"""The size of the page without its plot library."""

from __future__ import annotations

from plotly.offline import get_plotlyjs

from sakd.reporting import report, report_html
from unit.reporting.simulation import Simulated

STUDY = Simulated(distillers=6, policies=4, pairs=2, seeds=3, epochs=60, images=20)
MOST = 270_000
"""Bytes, of 150 cells: a tenth more than there were when this was written."""


def test_a_page_of_many_methods_is_small():
    tables = STUDY.tables()
    content = report(tables["results"], tables["history"], predictions=tables["predictions"])
    own = report_html(content).replace(get_plotlyjs(), "")
    assert len(own.encode()) < MOST
