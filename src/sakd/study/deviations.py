"""Parameters by their dotted names, such as ``student.batch_size``, and others in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from sakd.foundation.aliases import check_aliases
from sakd.foundation.errors import UserError, require
from sakd.foundation.names import unknown
from sakd.foundation.text import quoted
from sakd.study.parameters import Parameters

VARIED = ("student", "student_lr", "distillation", "routing", "systems")
"""The parameters that belong to cells: nothing that cells share depends on them."""

Settings = Mapping[str, Any]
"""Typed values of parameters by their dotted names."""


def flattened(given: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Write nested names with dots, as the command line nests them.

    >>> flattened({"student": {"epochs": [1, 2]}, "routing.gamma": [1, 2]})
    {'student.epochs': [1, 2], 'routing.gamma': [1, 2]}
    """
    flat: dict[str, Any] = {}
    for name, value in given.items():
        nested = isinstance(value, Mapping)
        flat |= flattened(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": value}
    return flat


def typed(place: str, name: str, value: object) -> Any:  # noqa: ANN401 - of any parameter
    """Give ``value`` the type of the parameter called ``name``.

    Raises:
        UserError: There is no such parameter of cells, or the value is wrong; ``place`` is named.
    """
    _, kind = _located(place, name)
    try:
        read = _read(value) if isinstance(value, str) else value
    except (yaml.YAMLError, RecursionError) as error:
        found = f"{place}: {name}: {quoted(value)} cannot be read"
        raise UserError(f"{found}; write a plain value") from error
    except UserError as error:
        raise UserError(f"{place}: {name}: {error}, got {quoted(value)}") from error
    require(not counts_truth(read, kind), f"{place}: {name} takes a number, got {read}")
    try:
        found = _adapter(kind).validate_python(read)
        overlaid(Parameters(), {name: found})
    except ValidationError as error:
        (first, *_) = error.errors()
        raise UserError(f"{place}: {name}: {first['msg']}, got {quoted(read)}") from error
    except UserError as error:
        raise UserError(f"{place}: {name}: {error}") from error
    return found


def _read(text: str) -> Any:  # noqa: ANN401 - of YAML
    check_aliases(text)
    return yaml.safe_load(text)


def counts_truth(value: object, kind: Any) -> bool:  # noqa: ANN401 - a type hint
    """Tell whether ``value`` is a truth where ``kind`` asks for a number: it would count as 1 or 0.

    >>> [counts_truth(True, kind) for kind in (int, int | None, bool, str)]
    [True, True, False, False]
    """
    parts = {kind, *get_args(kind)}
    return isinstance(value, bool) and bool not in parts and not parts.isdisjoint({int, float})


def overlaid(parameters: Parameters, settings: Settings) -> Parameters:
    """Put ``settings`` in place of parameters.

    Raises:
        UserError: They cannot stand together.
    """
    for name, value in settings.items():
        parameters = _put(parameters, _located("", name)[0], value)
    return parameters


def value_of(parameters: Parameters, name: str) -> Any:  # noqa: ANN401 - of any parameter
    """Give the value of the parameter called ``name``; None where a mapping lacks it."""
    found: Any = parameters
    for step in _located("", name)[0]:
        found = found.get(step) if isinstance(found, Mapping) else getattr(found, step, None)
    return found


def shown(settings: Settings) -> str:
    """Write settings in a line; a list of one, or of none, in brackets.

    >>> shown({"student.batch_size": 32, "distillation.weights.at": 1000.0})
    'student.batch_size=32, distillation.weights.at=1000'
    >>> shown({"student.optimisation.milestones": (0.5, 0.75)})
    'student.optimisation.milestones=0.5+0.75'
    >>> shown({"student.optimisation.milestones": (0.5,)})
    'student.optimisation.milestones=[0.5]'
    """
    return ", ".join(f"{name}={_text(value)}" for name, value in settings.items())


def _text(value: object) -> str:
    if isinstance(value, tuple):
        each = "+".join(map(_text, value))
        return each if len(value) > 1 else f"[{each}]"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@cache
def _located(place: str, name: str) -> tuple[tuple[str, ...], Any]:
    """Give the steps from all parameters to the one called ``name``, and its type.

    The names of networks may have dots.
    """
    kind: Any = Parameters
    steps: list[str] = []
    rest = name
    while rest:
        step, _, rest = rest.partition(".")
        within = "".join(f"{before}." for before in steps)
        if is_dataclass(kind):
            hints = get_type_hints(kind)
            known = VARIED if not steps else hints
            require(step in known, f"{place}: {_unknown(step, known, within, hints)}")
            kind = hints[step]
        elif get_origin(kind) is Mapping:
            *_, kind = get_args(kind)
            if get_origin(kind) is not Mapping:
                step, rest = ".".join(filter(None, (step, rest))), ""
        else:
            raise UserError(f"{place}: {within.rstrip('.')} has no part {step!r}: name it alone")
        steps.append(step)
    whole = is_dataclass(kind) or get_origin(kind) is Mapping
    require(not whole, f"{place}: {name} stands for several parameters: name one of them")
    return tuple(steps), kind


def _unknown(step: str, known: Any, within: str, hints: Mapping[str, Any]) -> str:  # noqa: ANN401
    if step in hints and not within:
        remedy = f"take one of {', '.join(VARIED)}"
        return f"{step!r} is no parameter of single cells: {remedy}, or vary it run by run"
    return unknown("parameter", step, known, within=within)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a type, or what stands for one
    return TypeAdapter(kind)


def _put(item: Any, steps: tuple[str, ...], value: object) -> Any:  # noqa: ANN401 - nested
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(item, Mapping):
        return {**item, first: _put(item.get(first, {}), rest, value)}
    return replace(item, **{first: _put(getattr(item, first), rest, value)})
