"""Seeds with splits of their own: their nodes are apart, and their tables are joined."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sakd.data.parameters import DataParameters
from sakd.foundation.errors import UserError
from sakd.pipelines import data_preparation, evaluate, report, students, teacher
from sakd.pipelines.report.nodes import bundle, join
from sakd.pipelines.report.pipeline import TABLES
from sakd.project.parameters import for_nodes
from sakd.study.grid import Grid
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.splits import splits_of

STAGES = (data_preparation, teacher, students, evaluate)


@pytest.fixture
def parameters() -> Parameters:
    data = DataParameters(test_fraction=0.2, splits="per_seed", split_seed=10)
    pairs = ("resnet20/resnet8", "wrn_40_2/resnet8")
    return Parameters(data=data, grid=Grid(pairs, seeds=(0, 1)), teacher_seed=5)


def test_a_seed_has_its_own_images_labels_and_teachers(parameters: Parameters) -> None:
    splits = splits_of(parameters)
    assert [split.data for split in splits] == ["digits_s0", "digits_s1"]
    first, second = (split.parameters for split in splits)
    assert [each.grid.seeds for each in (first, second)] == [(0,), (1,)]
    assert [each.teacher_of("resnet20").seed for each in (first, second)] == [5, 6]
    assert [each.data.splitting().fold for each in (first, second)] == [0, 1]
    assert [each.data.splitting().drawn_by for each in (first, second)] == [10, 11]
    ids = [row.id for split in splits for row in split.parameters.grid.rows("digits")]
    assert sorted(ids) == sorted(row.id for row in parameters.grid.rows("digits"))


def test_one_split_for_all_seeds_leaves_the_study_as_it_is() -> None:
    parameters = Parameters(grid=Grid(seeds=(0, 1)))
    (split,) = splits_of(parameters)
    assert (split.data, split.parameters, split.given("study")) == (
        "digits",
        parameters,
        "params:study",
    )


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__.rpartition(".")[2])
def test_no_node_sees_images_or_teachers_of_another_split(
    stage: Any, parameters: Parameters
) -> None:
    nodes = stage.create_pipeline(parameters).nodes
    seen = set()
    for node in nodes:
        names = [*node.inputs, *node.outputs]
        found = {seed for name in names for seed in re.findall(r"digits_(s\d)", name)}
        rows = {seed for name in names for seed in re.findall(r"-(s\d)(?:-records)?$", name)}
        assert len(found) == 1
        assert rows <= found
        seen |= found
    assert seen == {"s0", "s1"}


def test_nodes_find_the_parameters_of_their_split(parameters: Parameters) -> None:
    given = for_nodes(parameters)
    for stage in (*STAGES, report):
        for name in stage.create_pipeline(parameters).inputs():
            if name.startswith("params:"):
                found = given
                for part in name.removeprefix("params:").split("."):
                    found = found[part]
    assert given["splits"]["digits_s1"]["teachers"]["resnet20"].seed == 6


def test_a_finished_teacher_that_may_know_test_images_is_refused(tmp_path: Path) -> None:
    raw = {
        "data": {"splits": "per_seed", "test_fraction": 0.2},
        "teacher_weights": {"resnet20": str(tmp_path / "done.pt")},
    }
    with pytest.raises(UserError, match=r"teacher_weights of resnet20.*leave.*out"):
        parse_parameters(raw)
    assert parse_parameters(raw | {"data": {"splits": "shared"}}).teacher_weights


def test_tables_of_splits_are_joined_and_stay_small() -> None:
    def bundled(cell: str) -> dict[str, pd.DataFrame]:
        tables = {n: pd.DataFrame({"cell": [cell], "content": [f"{n[0]}{cell}"]}) for n in TABLES}
        return bundle(**tables | {"predictions": tables["predictions"].astype("category")})

    joined = join(bundled("a"), bundled("b"))
    assert [list(table["cell"]) for table in joined] == [["a", "b"]] * 5
    assert [list(table["content"]) for table in joined] == [
        ["ra", "rb"],
        ["ha", "hb"],
        ["pa", "pb"],
        ["ra", "rb"],
        ["sa", "sb"],
    ]
    assert set(map(str, joined[2].dtypes)) == {"category"}


def test_seeds_that_are_added_leave_the_splits_of_others_as_they_are(
    parameters: Parameters,
) -> None:
    grown = replace(parameters, grid=replace(parameters.grid, seeds=(1, 7)))
    of = {split.data: split.parameters for split in splits_of(parameters)}
    assert splits_of(grown)[0].parameters == of["digits_s1"]
