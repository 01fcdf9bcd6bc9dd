"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from sakd.reporting.pages.sections import CHAPTER, Block, Chart, Report

_TOOLBAR = {
    "responsive": True,
    "displaylogo": False,
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}


def report_html(content: Report) -> str:
    """Write the report as a page that opens offline, and follows light and dark.

    A content security policy in the page forbids every request. All text from data is escaped.
    """
    environment = Environment(
        loader=PackageLoader("sakd.reporting.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"anchor": _anchor, "kind": _kind, "plot": _plot}
    page = environment.get_template("report.html.j2")
    return page.render(report=content, chapter=CHAPTER, plotly=get_plotlyjs())


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _kind(block: Block) -> str:
    return type(block).__name__.lower()


def _plot(chart: Chart) -> str:
    """Draw a figure; plotly writes ``<``, ``>`` and ``/`` of its data as escapes of JavaScript."""
    html: str = to_html(
        chart.figure,
        config=_TOOLBAR,
        include_plotlyjs=False,
        full_html=False,
        div_id=chart.name,
        post_script="dress('{plot_id}');",
    )
    return html
