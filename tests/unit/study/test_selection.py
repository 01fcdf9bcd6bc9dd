"""Cells that a grid leaves out, and cells with settings of their own."""

from __future__ import annotations

from typing import Any

import pytest

from sakd.foundation.errors import UserError
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.splits import splits_of
from sakd.study.sweeps import cells_of, parameters_of

GRID = {
    "pairs": ["resnet20/resnet8", "resnet20@brief/resnet14"],
    "distillers": ["kd", "nst"],
    "systems": ["byot"],
    "policies": ["always", "adaptive"],
    "seeds": [0, 1],
}
VARIANTS = {"brief": {"epochs": 2}}


def study(**grid: Any) -> Parameters:
    return parse_parameters({"grid": GRID | grid, "teacher_variants": VARIANTS})


def left_out(*exclude: dict[str, Any], **grid: Any) -> set[str]:
    """Name what is left out, without the data."""
    every = {cell.id for cell in cells_of(study(**grid))}
    kept = {cell.id for cell in cells_of(study(exclude=list(exclude), **grid))}
    assert kept < every
    return {name.removeprefix("digits-") for name in every - kept}


@pytest.mark.parametrize(
    ("exclude", "names"),
    [
        (
            {"student": "resnet8", "distiller": "nst", "seed": 1},
            {"resnet20-resnet8-nst-always-s1", "resnet20-resnet8-nst-adaptive-s1"},
        ),
        (
            {"variant": "brief", "policy": "adaptive", "distiller": "kd+nst", "seed": [0]},
            {f"resnet20_brief-resnet14-{distiller}-adaptive-s0" for distiller in ("kd", "nst")},
        ),
        (
            {"system": "byot", "seed": 0, "pair": ["resnet20/resnet8"]},
            {"resnet20-resnet8-byot-always-s0"},
        ),
        (
            {"distiller": "none", "teacher": "resnet20@brief", "seed": 1},
            {"resnet20_brief-resnet14-none-none-s1"},
        ),
    ],
)
def test_what_is_excluded_has_one_of_the_values_on_every_axis(
    exclude: dict[str, Any], names: set[str]
) -> None:
    assert left_out(exclude) == names


def test_a_row_without_cells_is_none_and_its_teacher_is_not_trained() -> None:
    parameters = study(exclude=[{"student": "resnet14"}])
    assert [row.id for row in parameters.grid.rows("digits")] == [
        "digits-resnet20-resnet8-s0",
        "digits-resnet20-resnet8-s1",
    ]
    assert parameters.grid.teachers() == ("resnet20",)
    untaught = study(exclude=[{"distiller": "kd+nst"}, {"pair": "resnet20/resnet8"}])
    assert untaught.grid.teachers() == ()


def test_a_seed_without_cells_has_no_split() -> None:
    raw = {"grid": GRID | {"exclude": [{"seed": 0}]}, "teacher_variants": VARIANTS}
    parameters = parse_parameters({**raw, "data": {"splits": "per_seed", "test_fraction": 0.5}})
    assert [split.data for split in splits_of(parameters)] == ["digits_s1"]


def test_methods_that_do_not_fit_a_pair_can_be_left_out_of_it() -> None:
    grid = {"pairs": ["resnet20/resnet8", "resnet8/resnet8"], "systems": ["tfkd_self"]}
    with pytest.raises(UserError, match=r"grid.systems: 'tfkd_self' .*'resnet20/resnet8'.*exclude"):
        study(**grid)
    parameters = study(**grid, exclude=[{"pair": "resnet20/resnet8", "system": "tfkd_self"}])
    assert {cell.teacher for cell in cells_of(parameters) if cell.system} == {"resnet8"}


def test_none_on_the_command_line_takes_all_back() -> None:
    assert study(exclude="none", overrides="none", sweep="none") == study()


@pytest.mark.parametrize(
    ("exclude", "message"),
    [
        ([{"student": "resnet9"}], "unknown student 'resnet9'; did you mean 'resnet8'"),
        ([{"studnt": "resnet8"}], "'grid.exclude.0.studnt'; did you mean 'student'"),
        ([{"distiller": "byot"}], "unknown distiller 'byot'.*known: kd, none, nst|known: none, kd"),
        ([{"seed": 7}], "unknown seed '7'.*known: 0, 1"),
        ([{"distiller": "none", "policy": "adaptive"}], "leaves nothing out: .*delete"),
        ([{}], "grid.exclude names no cells: name one of pair"),
        ([{"seed": [0, 1]}], "leaves out every cell: delete"),
        ([3], r"grid.exclude.0.*3"),
        ([{"seed": "x"}], r"grid.exclude.0.seed.*'x'"),
    ],
)
def test_a_wrong_exclude_is_refused(exclude: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        study(exclude=exclude)


SMALL = {"distiller": "nst", "pair": "resnet20/resnet8", "settings": {"student.batch_size": 32}}


def test_settings_of_some_cells_are_theirs_alone_and_the_later_ones_count() -> None:
    later = {"distiller": "nst", "seed": 1, "settings": {"student": {"batch_size": 16}}}
    parameters = study(overrides=[SMALL, later])
    sizes = {
        cell.id.removeprefix("digits-"): parameters_of(cell, parameters).student.batch_size
        for cell in cells_of(parameters)
    }
    others = {name: size for name, size in sizes.items() if size != 64}
    methods = ("nst-always", "nst-adaptive")
    assert others == {
        **{f"resnet20-resnet8-{method}-s0": 32 for method in methods},
        **{f"resnet20-resnet8-{method}-s1": 16 for method in methods},
        **{f"resnet20_brief-resnet14-{method}-s1": 16 for method in methods},
    }


def test_settings_may_be_of_cells_that_the_run_leaves_out() -> None:
    for change in ({"distiller": "at"}, {"pair": "vgg13/vgg8"}, {"seed": 7}, {"policy": "anti"}):
        study(overrides=[SMALL | change])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"distiller": "nts"}, "grid.overrides, distiller: .*'nts'; did you mean 'nst'"),
        ({"pair": "resnet20/resnet9"}, "grid.overrides, pair: .*'resnet9'"),
        ({"pair": "resnet20"}, "'resnet20' is not a pair"),
        ({"system": "nst"}, "grid.overrides, system: .*'nst'"),
        ({"policy": "sometimes"}, "grid.overrides, policy: .*'sometimes'"),
        ({"seed": -1}, "grid.overrides, seed: -1 is negative"),
        ({"variant": "noisy"}, "grid.overrides: unknown variant 'noisy'.*brief"),
        ({"settings": {}}, "has no settings: name some"),
        ({"settings": 3}, "settings.*got 3"),
        ({"settings": {"student.batch_sze": 3}}, "'student.batch_sze'; did you mean 'batch_size'"),
        ({"settings": {"student.batch_size": 0}}, "student.batch_size: .* 1 or more, got 0"),
        ({"settings": {"student.batch_size": "x"}}, "student.batch_size: .*'x'"),
        ({"settings": {"teacher.epochs": 3}}, "'teacher' is no parameter of single cells: take"),
        ({"settings": {"student.optimisation": 3}}, "stands for several parameters: name one"),
        ({"settings": {"student.epochs.x": 3}}, "student.epochs has no part 'x'"),
        ({"settings": {"distillation.weights.nts": 3}}, "unknown distiller 'nts'"),
        ({"settings": {"distillation.weights.at": 3}}, "none of the cells .* depends on .*: leave"),
    ],
)
def test_a_wrong_override_is_refused(override: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        study(overrides=[SMALL | override])


def test_settings_that_are_there_anyway_are_no_mistake() -> None:
    raw = {"grid": GRID | {"overrides": [SMALL]}, "teacher_variants": VARIANTS}
    parse_parameters({**raw, "student": {"batch_size": 32}})
