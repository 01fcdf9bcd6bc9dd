"""Raw parameters, typed and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from sakd.foundation.errors import UserError, require
from sakd.foundation.names import listed, unknown
from sakd.foundation.text import quoted
from sakd.foundation.vocabulary import NONE
from sakd.study.combinations import check_cells
from sakd.study.deviations import counts_truth, flattened, typed
from sakd.study.parameters import Parameters
from sakd.study.sweeps import check_sweeps, variants_of

LARGEST = 2**63

LARGEST_FLOAT = 3.4e38
"""Beyond it there are no numbers of 32 bits."""


def parse_parameters(parameters: Mapping[str, Any]) -> Parameters:
    """Type and check raw parameters.

    On the command line a list is written ``a+b``.

    Raises:
        UserError: A key or a name is unknown, or a value is wrong.
    """
    strange: list[str] = []
    expanded = _expand(parameters, Parameters, "", strange)
    require(not strange, listed(strange, between="; "))
    _check_numbers(parameters, "")
    try:
        made = TypeAdapter(Parameters).validate_python(_complete(expanded))
    except ValidationError as error:
        raise UserError(listed(map(_explain, error.errors()), between="; ")) from error
    _check_numbers(asdict(made), "", nan=False)  # also those that were given as text
    made.check()
    check_sweeps(made)
    for variant, cells in variants_of(made):
        check_cells(variant, cells)
    return made


def _expand(value: object, kind: Any, place: str, strange: list[str]) -> object:  # noqa: ANN401
    """Split the lists of the command line; add a complaint for each unknown key and wrong truth."""
    if is_dataclass(kind) and isinstance(value, Mapping):
        kinds = get_type_hints(kind)
        strange += [unknown("parameter", k, kinds, within=place) for k in value if k not in kinds]
        items = ((name, kinds.get(name)) for name in value)
        return {k: _expand(value[k], hint, f"{place}{k}.", strange) for k, hint in items}
    if get_origin(kind) is Mapping and isinstance(value, Mapping):
        *_, kind = get_args(kind)
        return {k: _expand(item, kind, f"{place}{k}.", strange) for k, item in value.items()}
    if get_origin(kind) is tuple and isinstance(value, str | int | float):
        return str(value).split("+")
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        part, *_ = get_args(kind)
        return [_expand(each, part, f"{place}{k}.", strange) for k, each in enumerate(value)]
    if counts_truth(value, kind):
        strange.append(f"parameter {place.rstrip('.')!r} takes a number, got {value}")
    return value


def _check_numbers(value: object, place: str, *, nan: bool = True) -> None:
    """Refuse numbers with which nothing can be computed, wherever they stand.

    Raises:
        UserError: A number is infinite or too large for 32 bits, or whole and too large for 64;
            or it is not a number, unless ``nan`` leaves that to the ranges of parameters.
    """
    if isinstance(value, Mapping):
        for name, part in value.items():
            _check_numbers(part, f"{place}.{name}" if place else str(name), nan=nan)
    elif isinstance(value, list | tuple):
        for part in value:
            _check_numbers(part, place, nan=nan)
    elif isinstance(value, float):
        fine = (nan and math.isnan(value)) or abs(value) <= LARGEST_FLOAT
        require(fine, f"parameter {place!r} must be finite and fit in 32 bits, got {value}")
    elif isinstance(value, int):
        fine = abs(value) < LARGEST
        require(fine, f"parameter {place!r} must be below 2**63, got a number of that size or more")


def _complete(parameters: object) -> object:
    """Complete the recipes of variants by that of the plain teacher; type what a grid varies."""
    if not isinstance(parameters, Mapping):
        return parameters
    completed = dict(parameters)
    if isinstance(given := parameters.get("teacher_variants"), Mapping):
        plain = parameters.get("teacher", {})
        completed["teacher_variants"] = {n: _overlaid(plain, recipe) for n, recipe in given.items()}
    if isinstance(grid := parameters.get("grid"), Mapping):
        completed["grid"] = _complete_grid(grid)
    return completed


def _complete_grid(grid: Mapping[str, Any]) -> dict[str, Any]:
    """Type the settings of overrides and sweeps; ``none`` in the place of them stands for none."""
    given = dict(grid)
    for name in ("exclude", "overrides", "sweep"):
        if given.get(name) in (NONE, [NONE]):
            del given[name]
    if isinstance(sweep := given.get("sweep"), Mapping):
        given["sweep"] = {n: _values(n, each) for n, each in flattened(sweep).items()}
    if isinstance(overrides := given.get("overrides"), list | tuple):
        given["overrides"] = list(map(_override, overrides))
    return given


def _values(name: str, given: object) -> list[Any]:
    """Type the values of a swept parameter; on the command line they are written ``a+b``."""
    each = given.split("+") if isinstance(given, str) else given
    values = each if isinstance(each, list | tuple) else [each]
    return [typed("grid.sweep", name, value) for value in values]


def _override(given: object) -> object:
    """Type the settings of an override."""
    if not isinstance(given, Mapping) or not isinstance(given.get("settings"), Mapping):
        return given
    settings = flattened(given["settings"])
    each = {name: typed("grid.overrides", name, value) for name, value in settings.items()}
    return {**given, "settings": each}


def _overlaid(under: object, over: object) -> object:
    """Lay settings over others, part by part."""
    if not isinstance(under, Mapping) or not isinstance(over, Mapping):
        return over
    both = {name: _overlaid(under.get(name), value) for name, value in over.items()}
    return {**under, **both}


def _explain(detail: Mapping[str, Any]) -> str:
    """Write one error of pydantic in the words of the project."""
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "value_error":
        where = f"parameter {place!r}: " if place else ""
        return f"{where}{detail['ctx']['error']}"
    if detail["type"] == "path_type" and isinstance(detail["input"], int | float):
        return (
            f"parameter {place!r} is a number, {detail['input']}; for a folder write ./ before it"
        )
    return f"parameter {place!r}: {detail['msg']}, got {quoted(detail['input'])}"
