"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup
from plotly.io import templates

from sakd.foundation.text import printable
from sakd.reporting.pages.sections import CHAPTER, TABLES, Block, Chart, Report, Tabular

_TEMPLATE = "plotly_white"
_MOST = 50
"""Lines of a table that the page shows."""

_PLOTLY = files("plotly") / "package_data" / "plotly.min.js"
"""The script of plotly, which `plotly.offline` reads too, but that imports IPython."""

_NUMBER = r"^([-+]?[\d.]+)"
_OWN = ("y", "x")
"""The coordinate that differs most between traces: of lines y, of costs x."""


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
        finalize=_finalised,
    )
    environment.filters |= {
        "anchor": _anchor,
        "kind": _kind,
        "plot": _plot,
        "shown": _shown,
        "file": _file,
        "base64": _base64,
    }
    page = environment.get_template("report.html.j2")
    look = _compact(templates[_TEMPLATE].to_plotly_json())
    return page.render(
        report=content, chapter=CHAPTER, plotly=_PLOTLY.read_text("utf-8"), look=look
    )


def _finalised(value: object) -> object:
    """Give text without characters that are not seen; what is HTML or a number as it is."""
    return printable(value) if type(value) is str else value


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _kind(block: Block) -> str:
    return type(block).__name__.lower()


def _shown(table: Tabular) -> list[int]:
    """Choose the lines of a table: of very many numbers those with the highest first one."""
    if len(table.frame) <= _MOST or table.names == len(table.frame.columns):
        return list(range(len(table.frame)))
    texts = table.frame.iloc[:, table.names].astype(str)
    numbers = pd.to_numeric(texts.str.extract(_NUMBER)[0])
    return sorted(numbers.nlargest(_MOST).index.tolist())


def _file(table: Tabular) -> str:
    return f"{TABLES}/{table.name}.csv"


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


def _plot(chart: Chart) -> Markup:
    """Write the data of a figure once: what several traces have in common is shared.

    ``<``, ``>``, ``&`` and ``'`` are escapes of JSON, so that no data can end the script.
    """
    return min((_packed(chart.figure.to_json(), own) for own in _OWN), key=len)


def _packed(text: str, own: str) -> Markup:
    """Share all but one coordinate of the traces, and the number of their panel."""
    figure: dict[str, Any] = json.loads(text)
    shared: dict[str, int] = {}
    traces = []
    for trace in figure["data"]:
        rest = {name: trace.pop(name) for name in (own, "xaxis") if name in trace}
        trace.pop("yaxis", None)
        common = json.dumps(trace)
        traces.append([shared.setdefault(common, len(shared)), rest])
    figure["layout"].pop("template", None)
    return _compact(
        {
            "shared": [json.loads(common) for common in shared],
            "traces": traces,
            "layout": figure["layout"],
        }
    )


def _compact(value: object) -> Markup:
    return htmlsafe_json_dumps(value, separators=(",", ":"))
