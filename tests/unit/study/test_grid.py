"""The grid: every combination once, in rows, under readable names."""

from __future__ import annotations

from copy import deepcopy
from string import ascii_letters, digits
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakd.distillers import DISTILLERS
from sakd.foundation import tables
from sakd.foundation.errors import UserError
from sakd.networks import NETWORKS
from sakd.networks.paths import members, split_pair
from sakd.routing import POLICIES
from sakd.study.grid import Cell, Grid, Row, row_id

VARIANTS = ["resnet20@brief", "vgg8-imagenet@noisy"]
TEACHERS = [*NETWORKS, *VARIANTS, "resnet56/resnet20@brief", "vgg13//vgg11", "vgg13&vgg11"]
PAIRS = [f"{teacher}/{student}" for teacher in TEACHERS for student in ("resnet8", "wrn_16_1")]


def some(values: Any, at_most: int) -> st.SearchStrategy[tuple[Any, ...]]:
    chosen = st.lists(st.sampled_from(list(values)), min_size=1, max_size=at_most, unique=True)
    return chosen.map(tuple)


grids = st.builds(
    Grid,
    pairs=some(PAIRS, 4),
    distillers=some([*DISTILLERS, "at-sp", "rkd-fitnet-at"], 5),
    policies=some(POLICIES, 5),
    seeds=some(range(100), 4),
    baseline=st.booleans(),
)


def test_a_small_grid_expanded_by_hand() -> None:
    grid = Grid(
        pairs=("resnet20/resnet8", "resnet14/resnet8"),
        distillers=("kd", "at"),
        policies=("always", "adaptive"),
        seeds=(3, 0),
    )
    rows = grid.rows("digits")
    assert [row.id for row in rows] == [
        "digits-resnet20-resnet8-s3",
        "digits-resnet20-resnet8-s0",
        "digits-resnet14-resnet8-s3",
        "digits-resnet14-resnet8-s0",
    ]
    assert rows[2] == Row("digits", "resnet14", "resnet8", 3, rows[2].cells)
    assert [cell.id for cell in rows[2].cells] == [
        "digits-resnet14-resnet8-none-none-s3",
        "digits-resnet14-resnet8-kd-always-s3",
        "digits-resnet14-resnet8-kd-adaptive-s3",
        "digits-resnet14-resnet8-at-always-s3",
        "digits-resnet14-resnet8-at-adaptive-s3",
    ]
    assert rows[2].cells[0] == Cell("digits", "resnet14", "resnet8", "none", "none", 3)


def test_only_the_baseline_is_alone() -> None:
    cells = Grid().rows("digits")[0].cells
    assert [cell.alone for cell in cells] == [True, False, False]


def test_without_a_baseline_no_student_is_trained_alone() -> None:
    cells = Grid(baseline=False).rows("digits")[0].cells
    assert not any(cell.alone for cell in cells)


def test_each_teacher_is_trained_once_in_the_order_of_the_pairs() -> None:
    grid = Grid(pairs=("resnet20/resnet8", "resnet14/resnet8", "resnet20/resnet14"))
    assert grid.teachers() == ("resnet20", "resnet14")


def test_variants_of_a_teacher_are_teachers_and_no_networks() -> None:
    grid = Grid(pairs=("resnet20@brief/resnet8", "resnet20/resnet8"))
    grid.check()
    assert grid.teachers() == ("resnet20@brief", "resnet20")
    assert grid.networks() == ("resnet20", "resnet8")
    brief, plain = grid.rows("digits")
    assert brief.id == "digits-resnet20_brief-resnet8-s0"
    assert [cell.kept for cell in brief.cells] == [plain.cells[0], *brief.cells[1:]]


def test_a_variant_with_the_file_name_of_another_network_is_refused() -> None:
    grid = Grid(pairs=("wrn_40@2/resnet8", "wrn_40_2/resnet8"))
    with pytest.raises(UserError, match="unknown network 'wrn_40'"):
        grid.check()
    grid = Grid(pairs=("MobileNetV2@x0_5/resnet8", "MobileNetV2_x0_5/resnet8"))
    with pytest.raises(UserError, match=r"share the file name 'MobileNetV2_x0_5'.*rename one"):
        grid.check()


def test_the_teachers_of_a_path_are_trained_in_its_order_and_those_of_two_paths_once() -> None:
    pairs = ("resnet56/vgg8", "resnet56/resnet20/resnet8", "resnet56/resnet20/resnet14/resnet8")
    grid = Grid(pairs=pairs)
    grid.check()
    path = "resnet56/resnet20", "resnet56/resnet20/resnet14"
    assert grid.teachers() == ("resnet56", *path)
    assert grid.networks() == ("resnet56", "vgg8", "resnet20", "resnet8", "resnet14")
    assert [row.id for row in grid.rows("digits")][1:] == [
        "digits-resnet56_to_resnet20-resnet8-s0",
        "digits-resnet56_to_resnet20_to_resnet14-resnet8-s0",
    ]


def test_a_student_alone_is_one_training_for_all_paths_from_a_teacher() -> None:
    grid = Grid(
        pairs=("resnet56/resnet8", "resnet56@brief/resnet20/resnet8", "resnet56&vgg8/resnet8")
    )
    alone = {c.kept for row in grid.rows("digits") for c in row.cells if c.alone}
    assert alone == {Cell("digits", "resnet56", "resnet8", "none", "none", 0)}


@pytest.mark.parametrize("pair", ["resnet8/resnet8", "resnet8&vgg8/resnet8", "vgg8@a/vgg8@b/vgg8"])
def test_a_network_may_teach_itself(pair: str) -> None:
    Grid(pairs=(pair,)).check()


@given(grids)
def test_the_grid_is_the_product_of_its_axes_where_a_pair_has_one_teacher(grid: Grid) -> None:
    grid.check()
    cells = [cell for row in grid.rows("digits") for cell in row.cells]
    single = sum(len(members(split_pair(pair)[0])) == 1 for pair in grid.pairs)
    of_pairs = single * len(grid.distillers) * len(grid.policies)
    assert len(cells) == len(grid.seeds) * (of_pairs + len(grid.pairs) * grid.baseline)
    assert len(set(cells)) == len(cells)


def test_a_deep_copy_of_a_row_is_the_row_as_rows_never_change() -> None:
    (row,) = Grid().rows("digits")
    assert deepcopy([row])[0] is row


@given(grids)
def test_ids_are_unique_and_usable_as_file_names(grid: Grid) -> None:
    rows = grid.rows("digits")
    ids = [row.id for row in rows] + [cell.id for row in rows for cell in row.cells]
    assert len(set(ids)) == len(ids)
    assert all(set(name) <= set(ascii_letters + digits + "_-") for name in ids)


@given(grids)
def test_a_cell_is_in_the_row_that_it_names(grid: Grid) -> None:
    for row in grid.rows("digits"):
        assert all(cell.row == row.id for cell in row.cells)
        assert row.id == row_id("digits", row.teacher, row.student, row.seed)


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"pairs": ()}, "grid.pairs is empty"),
        ({"distillers": ()}, "grid.distillers is empty"),
        ({"policies": ()}, "grid.policies is empty"),
        ({"seeds": ()}, "grid.seeds is empty"),
        ({"seeds": (1, 1)}, "grid.seeds repeats itself: 1, 1"),
        ({"distillers": ("kd", "at", "kd")}, "grid.distillers repeats itself: kd, at, kd"),
        ({"seeds": (0, -2)}, "grid.seeds: -2 is negative"),
        ({"pairs": ("resnet20",)}, "'resnet20' is not a pair; write teacher/student"),
        ({"pairs": ("/resnet8",)}, "grid.pairs: '/resnet8'"),
        ({"pairs": ("resnet20//resnet8",)}, "'resnet20//resnet8' is not a pair; write teacher/"),
        ({"pairs": ("resnet20/vgg9/resnet8",)}, "unknown network 'vgg9'; did you mean"),
        ({"pairs": ("resnet20/resnet8/resnet8",)}, "names 'resnet8' twice; name each"),
        ({"pairs": ("resnet20/vgg8/resnet20/resnet8",)}, "names 'resnet20' twice; name each"),
        ({"pairs": ("resnet20&resnet20/resnet8",)}, "names 'resnet20' twice; name each"),
        ({"distillers": ("none",)}, "unknown distiller 'none'"),
        ({"distillers": ("at-spp",)}, "unknown distiller 'spp'; did you mean 'sp'"),
        ({"distillers": ("kd-at",)}, "'kd-at': kd joins at by itself; write 'at'"),
        ({"distillers": ("at-sp", "sp-at")}, "'at-sp' and 'sp-at' are the same method"),
        ({"policies": ("none",)}, "unknown policy 'none'"),
    ],
)
def test_a_wrong_axis_is_refused(axes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        Grid(**axes).check()
    assert message in str(caught.value)


def test_all_stands_for_every_distiller_and_every_policy() -> None:
    grid = Grid(distillers=("all", "at-sp"), policies=("all",))
    grid.check()
    assert grid.distillers == (*DISTILLERS, "at-sp")
    assert grid.policies == tuple(POLICIES)
    assert "all" not in {*DISTILLERS, *POLICIES}
    with pytest.raises(UserError, match=r"grid\.distillers repeats itself"):
        Grid(distillers=("all", "at")).check()


def test_the_cells_of_a_grid_are_listed_without_looking_for_near_matches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def searched(*_arguments: object, **_more: object) -> str:
        raise AssertionError("near matches of a name were looked for")

    monkeypatch.setattr(tables, "unknown", searched)
    rows = Grid(distillers=("kd", "at-sp"), systems=("byot",), seeds=(0, 1)).rows("digits")
    assert [sum(cell.system is not None for cell in row.cells) for row in rows] == [1, 1]
