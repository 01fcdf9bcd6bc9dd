"""The figures of a report as files: SVG."""

from __future__ import annotations

from importlib import import_module

from sakd.reporting.pages.sections import Report


def picture_files(content: Report) -> dict[str, bytes]:
    """Draw every figure of a report as SVG, by the names of the files."""
    drawing = import_module(f"{__package__}.drawing")  # matplotlib takes a second to import
    return {f"{chart.name}.svg": drawing.picture(chart.figure) for chart in content.charts}
