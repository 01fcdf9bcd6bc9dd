"""The notebook runs on the results of a run."""

from __future__ import annotations

import json
from pathlib import Path

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "04_statistics.ipynb"


def test_every_cell_of_the_notebook_runs_in_turn(
    results, history, predictions, tmp_path, monkeypatch
):
    folder = tmp_path / "data" / "08_reporting" / "digits"
    folder.mkdir(parents=True)
    (tmp_path / "conf").mkdir()
    results.to_csv(folder / "results.csv", index=False)
    outputs = tmp_path / "data" / "07_model_output" / "digits"
    outputs.mkdir(parents=True)
    history(results).to_csv(outputs / "history.csv", index=False)
    predictions(results).to_parquet(outputs / "predictions.parquet")
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert len(names["results"]) == len(results)
