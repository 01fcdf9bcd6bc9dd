"""The figures of a report as files: SVG, and PNG of images."""

from __future__ import annotations

from importlib import import_module

from sakd.reporting.pages.sections import Report


def picture_files(content: Report) -> dict[str, bytes]:
    """Draw every figure of a report as SVG, and give its pictures, by the names of the files."""
    drawing = import_module(f"{__package__}.drawing")  # matplotlib takes a second to import
    drawn = {f"{chart.name}.svg": drawing.picture(chart.figure) for chart in content.charts}
    return drawn | {f"{picture.name}.png": picture.png for picture in content.pictures}
