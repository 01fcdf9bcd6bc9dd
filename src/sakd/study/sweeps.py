"""The cells of a study with settings of their own: those of overrides, and those of sweeps.

A swept parameter is an axis of the grid for the cells that depend on it, and for no others: a cell
depends on a parameter if the facts of its content key do. A cell with settings of its own has the
key, and so the results, of the same cell in a study that has these settings everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from sakd.distillers import DISTILLERS
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError, require
from sakd.foundation.keys import facts_of
from sakd.objectives import Distillation
from sakd.study.axes import check_selections
from sakd.study.deviations import overlaid, shown, value_of
from sakd.study.facts import settings_distilled, settings_routed
from sakd.study.grid import Cell, Row
from sakd.study.parameters import Parameters
from sakd.study.systems import recipe_of, settings_of


def rows_of(parameters: Parameters) -> tuple[Row, ...]:
    """List the rows of a study with all their cells, in the order of the axes."""
    rows = parameters.grid.rows(parameters.data.slug)
    if not parameters.grid.sweep:
        return rows
    return tuple(replace(row, cells=tuple(_swept(row.cells, parameters))) for row in rows)


def cells_of(parameters: Parameters) -> tuple[Cell, ...]:
    """List all cells of a study, in the order of the axes."""
    return tuple(cell for row in rows_of(parameters) for cell in row.cells)


def own_settings(cell: Cell, parameters: Parameters) -> dict[str, Any]:
    """Give the settings in which ``cell`` differs from ``parameters``, by their dotted names."""
    found: dict[str, Any] = {}
    for each in parameters.grid.overrides:
        if each.selects(cell):
            found |= each.settings
    words = cell.swept.split(", ")
    for name, values in parameters.grid.sweep.items():
        for value in values:
            if shown({name: value}) in words:
                found[name] = value
    return found


def parameters_of(cell: Cell, parameters: Parameters) -> Parameters:
    """Give the parameters of ``cell``: with the settings of its own."""
    own = own_settings(cell, parameters)
    return overlaid(parameters, own) if own else parameters


def variants_of(parameters: Parameters) -> tuple[tuple[Parameters, tuple[Cell, ...]], ...]:
    """Give the parameters of all cells, with the cells that share them."""
    if not (parameters.grid.overrides or parameters.grid.sweep):
        return ((parameters, cells_of(parameters)),)
    sharing: dict[str, list[Cell]] = {}
    for cell in cells_of(parameters):
        sharing.setdefault(shown(own_settings(cell, parameters)), []).append(cell)
    each = map(tuple, sharing.values())
    return tuple((parameters_of(cells[0], parameters), cells) for cells in each)


def _swept(cells: Sequence[Cell], parameters: Parameters) -> Iterator[Cell]:
    """Multiply the cells that depend on swept parameters."""
    for cell in cells:
        base = parameters_of(cell, parameters)
        axes = {name: _values(cell, name, base) for name in parameters.grid.sweep}
        used = {name: values for name, values in axes.items() if len(values) > 1}
        for values in product(*used.values()):
            yield replace(cell, swept=shown(dict(zip(used, values, strict=True))))


def _values(cell: Cell, name: str, base: Parameters) -> list[Any]:
    """Give the values of a swept parameter that make different trainings of ``cell``."""
    found: dict[str, Any] = {}
    for value in base.grid.sweep[name]:
        found.setdefault(_content(cell, overlaid(base, {name: value})), value)
    return list(found.values())


def _content(cell: Cell, parameters: Parameters) -> str:
    """Write down the settings on which ``cell`` depends, in a form that can be compared."""
    distillation, routing = parameters.distillation, parameters.routing
    recipe = parameters.student_recipe(cell.student)
    facts: list[Any] = [facts_of(recipe)]
    if cell.system is not None:
        settings = settings_of(cell.distiller, parameters.systems)
        facts = [facts_of(recipe_of(cell.system, recipe)), facts_of(settings)]
        if cell.system.distils:
            kinds = list(cell.system.named(settings))
            names = [name for name, kind in DISTILLERS.items() if kind in kinds]
            facts.append(facts_of(_only(distillation, names)))
        if cell.system.routable:
            facts.append(settings_routed(cell, routing))
    elif not cell.alone:
        method = Method.of(cell.distiller)
        facts.append(settings_distilled(cell, method, distillation.suited(method), routing))
    return json.dumps(facts, sort_keys=True)


def _only(distillation: Distillation, names: Sequence[str]) -> Distillation:
    """Leave out the weights and options of other distillers than those that are named."""
    weights = {name: each for name, each in distillation.weights.items() if name in names}
    options = {name: each for name, each in distillation.options.items() if name in names}
    return replace(distillation, weights=weights, options=options, keep_outputs_mb=0)


def check_sweeps(parameters: Parameters) -> None:
    """Check what a grid leaves out, and its overrides and sweeps: each is possible, and counts.

    Raises:
        UserError: Nothing is left out, a value is wrong, no cell depends on a parameter, or values
            repeat themselves.
    """
    grid = parameters.grid
    if not (grid.exclude or grid.overrides or grid.sweep):
        return
    whole = [cell for row in replace(grid, exclude=()).rows("") for cell in row.cells]
    check_selections(whole, grid.exclude, grid.overrides)
    for name, values in grid.sweep.items():
        _check_values(name, values)
        both = any(name in each.settings for each in grid.overrides)
        require(not both, f"grid.overrides sets {name}, which grid.sweep varies: leave one out")
        for value in values:
            _check_options(f"grid.sweep, {name}", overlaid(parameters, {name: value}))
    for each in grid.overrides:
        _check_options(f"grid.overrides, {each}", overlaid(parameters, each.settings))
    words = {word.split("=")[0] for cell in cells_of(parameters) for word in cell.swept.split(", ")}
    for name in grid.sweep:
        found = f"grid.sweep: no cell of the grid depends on {name}"
        require(name in words, f"{found}: leave it out, or add a method that does")
    _check_overrides(parameters)


def _check_values(name: str, values: Sequence[object]) -> None:
    words = [shown({name: value}) for value in values]
    listed = ", ".join(map(str, values)) or "none"
    found = f"grid.sweep: {name} has fewer than two values ({listed})"
    require(len(values) > 1, f"{found}: name more, or set {name} itself")
    twice = f"grid.sweep: the values of {name} repeat themselves: {listed}"
    require(len(set(words)) == len(words), f"{twice}; name each once")


def _check_options(place: str, parameters: Parameters) -> None:
    """Check the names and options that do not depend on the grid."""
    try:
        parameters.check_options()
    except UserError as error:
        raise UserError(f"{place}: {error}") from error


def _check_overrides(parameters: Parameters) -> None:
    """Check that each setting of an override changes one of its cells, unless it has it anyway."""
    cells = [cell for row in parameters.grid.rows("") for cell in row.cells]
    for each in parameters.grid.overrides:
        chosen = [cell for cell in cells if each.selects(cell)]
        for name, value in each.settings.items():
            if value_of(parameters, name) == value or not chosen:
                continue
            other = overlaid(parameters, {name: value})
            used = any(_content(cell, parameters) != _content(cell, other) for cell in chosen)
            found = f"grid.overrides: none of the cells {each} depends on {name}"
            require(used, f"{found}: leave it out, or name cells of a method that does")
