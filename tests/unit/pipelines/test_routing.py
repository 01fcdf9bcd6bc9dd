"""The node that measures the routing of the cells of a grid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from sakd.data import Splits
from sakd.measures.routing import EVERY
from sakd.pipelines.evaluate.routing import measure_routing
from sakd.pipelines.students.nodes import train_row
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.study.parsing import parse_parameters
from sakd.study.store import CellStore, Entry

BRIEF = {"epochs": 2, "keep_epochs": 0, "batch_size": 12}
SEEDS = (3, 4)
STUDY = {
    "device": "cpu",
    "grid": {
        "pairs": "resnet14/resnet8",
        "distillers": "at",
        "policies": "always+adaptive+better+random",
        "seeds": list(SEEDS),
    },
    "teacher": BRIEF,
    "student": BRIEF,
    "routing": {"same_family_bias": 0},
}


@pytest.fixture(scope="module")
def given(splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """The inputs of the node, after the training of all cells."""
    parameters = parse_parameters(STUDY)
    card = replace(splits.card, name="digits").to_json()
    development = {"train": splits.train.tensors, "val": splits.val.tensors}
    store = CellStore(tmp_path_factory.mktemp("cells"))
    teacher = parameters.teacher_of("resnet14")
    weights = make_teacher(development, card, store, teacher, parameters)
    rows = parameters.grid.rows("digits")
    records = [train_row(development, card, store, row, parameters, weights) for row in rows]
    return development, card, store, parameters, weights, *records


@pytest.fixture(scope="module")
def measured(given: tuple[Any, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run the node."""
    return measure_routing(*given)


def named(policy: str, seed: int) -> str:
    return f"digits-resnet14-resnet8-at-{policy}-s{seed}"


def test_cells_that_tell_images_apart_are_measured_and_no_others(
    measured: tuple[pd.DataFrame, pd.DataFrame], given: tuple[Any, ...]
) -> None:
    routing, _ = measured
    assert set(routing["cell"]) == {named(p, s) for p in ("adaptive", "better") for s in SEEDS}
    spots = routing.groupby("cell")["spot"].agg(lambda found: list(dict.fromkeys(found)))
    assert spots[named("better", 3)] == [EVERY]
    assert spots[named("adaptive", 3)] == ["stage1", "stage2", "stage3", "logits"]
    of = routing[routing["measure"] == "rate"].set_index("cell")
    (file,) = given[2].root.glob(f"*/{named('better', 3)}/*/routing.parquet")
    decisions = pd.read_parquet(file)
    assert of.loc[named("better", 3), "value"] == pytest.approx(decisions["rate/logits"].mean())
    assert set(routing["by"]) == {"", "alone", "student", "teacher", "disagreement"}


def test_there_is_a_sheet_for_each_method_of_the_first_seed(
    measured: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    _, sheets = measured
    assert set(sheets["cell"]) <= {named(p, SEEDS[0]) for p in ("adaptive", "better")}
    for line in sheets.to_dict("records"):
        assert line["png"].startswith(b"\x89PNG")
        assert {"most", "least"} <= set(line["text"].replace(":", ",").replace(",", "").split())


def test_cells_without_counted_decisions_are_passed_over(given: tuple[Any, ...]) -> None:
    for file in given[2].root.rglob("routing.parquet"):
        file.unlink()
        entry = Entry(file.parent)
        record = entry.record()
        assert record is not None
        entry.finish(record, [])
    routing, sheets = measure_routing(*given)
    assert list(routing) == ["cell", "spot", "measure", "by", "group", "value", "images"]
    assert routing.empty
    assert sheets.empty
