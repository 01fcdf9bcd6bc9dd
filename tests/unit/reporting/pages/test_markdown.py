"""The Markdown report stands alone, with the files next to it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import pytest

from sakd.reporting import Origin, picture_files, report, report_markdown, table_files
from sakd.reporting.pages.sections import PICTURES, TABLES, Report

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)]*)\)")


@pytest.fixture(scope="module")
def text(full: Report) -> str:
    return report_markdown(full)


def test_every_link_leads_to_a_file_and_every_file_is_linked(full: Report, text: str) -> None:
    links = {target for _, _, target in LINK.findall(text)}
    folders = {TABLES: table_files(full), PICTURES: picture_files(full)}
    assert links == {f"{folder}/{name}" for folder, files in folders.items() for name in files}


def test_every_figure_is_shown_with_an_alternative_text(full: Report, text: str) -> None:
    shown = {target: words for image, words, target in LINK.findall(text) if image}
    assert list(shown) == [f"{PICTURES}/{chart.name}.svg" for chart in full.charts]
    assert all(len(words) > 15 for words in shown.values())
    assert "HTML report" not in text


def test_cells_lead_to_their_records_and_weights(
    results: pd.DataFrame, history: Callable[..., pd.DataFrame]
) -> None:
    placed = results.assign(record="data/a b/record.json", weights="")
    shown = report_markdown(report(placed, history(placed), origin=Origin(place="../../..")))
    assert "kd adaptive: seed 0: 81.00 % [record](../../../data/a%20b/record.json); seed 1" in shown
    assert "[weights]" not in shown
