"""The node that writes the report: it says with which settings its cells were trained."""

from __future__ import annotations

import pandas as pd
import pytest

from sakd.data import Splits
from sakd.pipelines.report.nodes import write
from sakd.reporting import Origin
from sakd.study.grid import Cell
from sakd.study.parsing import parse_parameters

PREDICTIONS = pd.DataFrame(columns=["cell", "image", "content", "label", "right"])


@pytest.fixture
def results() -> pd.DataFrame:
    cell = Cell("digits", "resnet14", "resnet8", "kd", "always", 3)
    return pd.DataFrame([{**vars(cell), "cell": cell.id, "status": "done", "test_top1": 0.5}])


def test_both_pages_list_the_settings_and_the_data(results: pd.DataFrame, splits: Splits) -> None:
    grid = {"pairs": ["resnet14/resnet8"], "seeds": [3], "policies": ["always"]}
    raw = {"device": "cpu", "grid": grid, "student": {"epochs": 23, "batch_size": 17}}
    parameters = parse_parameters(raw)
    card = splits.card.to_json()
    *pages, tables, pictures = write(
        results, pd.DataFrame(), PREDICTIONS, card, parameters, Origin()
    )
    assert "reference-resnet14-resnet8.tex" in tables
    assert "gain-resnet14-resnet8.svg" in pictures
    for page in pages:
        for name, value in {
            "student.epochs": "23",
            "student.batch_size": "17",
            "student.optimisation.lr": "0.05",
            "grid.seeds": "3",
            "sha256": splits.card.sha256,
        }.items():
            where = page.index(name)
            assert value in page[where : where + 100]
