"""Sweeps: an axis of the grid for the cells that depend on a parameter, and for no others."""

from __future__ import annotations

from typing import Any

import pytest

from sakd.foundation.errors import UserError
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.sweeps import cells_of, parameters_of, rows_of, variants_of

GRID = {
    "pairs": ["resnet20/resnet8"],
    "distillers": ["kd", "at", "at-sp"],
    "systems": ["byot"],
    "policies": ["always", "adaptive"],
}


def study(sweep: Any, grid: dict[str, Any] | None = None, **more: Any) -> Parameters:
    return parse_parameters({"grid": {**GRID, **(grid or {}), "sweep": sweep}, **more})


def multiplied(parameters: Parameters) -> dict[str, list[str]]:
    """Give the values of every method that has several."""
    found: dict[str, list[str]] = {}
    for cell in cells_of(parameters):
        if cell.swept:
            found.setdefault(f"{cell.distiller} {cell.policy}", []).append(cell.swept)
    return found


ROUTED = ("always", "adaptive")


@pytest.mark.parametrize(
    ("name", "values", "methods"),
    [
        (
            "distillation.weights.at",
            [100, 1000],
            [f"{d} {p}" for d in ("at", "at-sp") for p in ROUTED],
        ),
        (
            "distillation.options.kd.temperature",
            [2, 4],
            [f"{d} {p}" for d in ("kd", "at", "at-sp") for p in ROUTED],
        ),
        ("distillation.kd_weight", [0.5, 1], [f"{d} {p}" for d in ("at", "at-sp") for p in ROUTED]),
        ("routing.gamma", [1, 2], [f"{d} adaptive" for d in ("kd", "at", "at-sp")]),
        ("systems.byot.temperature", [2, 3], ["byot always"]),
        (
            "student.epochs",
            [100, 200],
            [
                "none none",
                *(f"{d} {p}" for d in ("kd", "at", "at-sp") for p in ROUTED),
                "byot always",
            ],
        ),
    ],
)
def test_the_cells_that_depend_on_a_parameter_have_each_of_its_values(
    name: str, values: list[float], methods: list[str]
) -> None:
    expected = [f"{name}={value}" for value in values]
    assert multiplied(study({name: values})) == dict.fromkeys(methods, expected)


def test_several_parameters_multiply_each_other_where_both_count() -> None:
    found = multiplied(study({"distillation.weights.at": [1, 2], "routing.gamma": [3, 4]}))
    assert found["kd adaptive"] == ["routing.gamma=3", "routing.gamma=4"]
    assert found["at always"] == ["distillation.weights.at=1", "distillation.weights.at=2"]
    assert found["at adaptive"] == [
        f"distillation.weights.at={weight}, routing.gamma={gamma}"
        for weight in (1, 2)
        for gamma in (3, 4)
    ]


def test_every_cell_has_the_parameters_of_its_value_and_an_id_of_its_own() -> None:
    parameters = study({"distillation.weights.at": [100, 1000]})
    cells = cells_of(parameters)
    assert len({cell.id for cell in cells}) == len(cells)
    weights = {cell.swept: parameters_of(cell, parameters).distillation.weights for cell in cells}
    assert weights == {
        "": {},
        "distillation.weights.at=100": {"at": 100},
        "distillation.weights.at=1000": {"at": 1000},
    }
    assert len(variants_of(parameters)) == 3
    assert len(variants_of(study({}))) == 1
    assert rows_of(study({})) == study({}).grid.rows("digits")


def test_lists_are_shown_as_a_sweep_takes_them() -> None:
    name = "student.optimisation.milestones"
    parameters = study({name: [[0.5], [0.5, 0.75]]}, {"distillers": ["kd"], "systems": []})
    found = {c.swept: parameters_of(c, parameters) for c in cells_of(parameters)}
    milestones = {words: each.student.optimisation.milestones for words, each in found.items()}
    assert milestones == {f"{name}=[0.5]": (0.5,), f"{name}=0.5+0.75": (0.5, 0.75)}
    assert study({name: "[0.5]+[0.25]"}).grid.sweep[name] == ((0.5,), (0.25,))


def test_a_rate_of_a_student_hides_that_of_all() -> None:
    pairs = ["resnet20/resnet8", "resnet20/resnet14"]
    sweep = {"student.optimisation.lr": [0.1, 0.2]}
    parameters = study(sweep, {"pairs": pairs}, student_lr={"resnet8": 0.05})
    assert {cell.student for cell in cells_of(parameters) if cell.swept} == {"resnet14"}


def test_it_is_the_same_written_nested_and_as_on_the_command_line() -> None:
    flat = study({"distillation.weights.at": [100, 1000]})
    assert study({"distillation": {"weights": {"at": "100+1000"}}}) == flat
    options = {"distillation.options.kd.temperature": "2+4"}
    assert "distillation.options.kd.temperature=2" in multiplied(study(options))["kd always"]


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ({"distillation.weights.ta": [1, 2]}, "unknown distiller 'ta'"),
        ({"distillation.weights.nst": [1, 2]}, "no cell .* depends on distillation.weights.nst: "),
        ({"student.checkpoint_seconds": [1, 2]}, "no cell .* student.checkpoint_seconds: leave"),
        ({"distillation.weights.at": []}, r"fewer than two values \(none\): name more"),
        ({"distillation.weights.at": [1]}, r"fewer than two values .*: name more"),
        ({"distillation.weights.at": [1, 2, 1.0]}, "repeat themselves: .*; name each once"),
        ({"distillation.weights.at": [-1, 2]}, r"must not be negative: -1"),
        ({"teacher.epochs": [1, 2]}, "'teacher' is no parameter of single cells: take one of"),
        ({"teachr.epochs": [1, 2]}, "unknown parameter 'teachr'"),
        ({"student": [1, 2]}, "student stands for several parameters: name one"),
        ({"student.epochs": [0, 2]}, "student.epochs: .*got 0"),
        ({"student.epochs": ["many", 2]}, "student.epochs: .*'many'"),
        ({"systems.byot.foo": [1, 2]}, "'byot' has no option 'foo'"),
        ({"student.epochs": ["\x1b", 2]}, "student.epochs: .*x1b.*cannot be read"),
        ({"student.epochs": ["[" * 5000, 2]}, "student.epochs: .*cannot be read"),
        ([1], r"grid.sweep.*\[1\]"),
    ],
)
def test_a_wrong_sweep_is_refused(sweep: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        study(sweep)


def test_a_parameter_is_not_both_varied_and_set() -> None:
    override = {"distiller": "at", "settings": {"student.epochs": 3}}
    with pytest.raises(UserError, match=r"overrides sets student.epochs.*: leave one out"):
        study({"student.epochs": [1, 2]}, {"overrides": [override]})


def test_values_that_do_not_fit_a_method_are_refused() -> None:
    with pytest.raises(UserError, match=r"'joint'.*'sskd'"):
        study({"distillation.objective": ["joint", "distillation"]}, {"distillers": ["sskd"]})
