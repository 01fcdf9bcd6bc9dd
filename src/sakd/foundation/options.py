"""Check the values of options against the types that they are declared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from sakd.foundation.errors import UserError
from sakd.foundation.text import quoted

T = TypeVar("T")


def require_type(place: str, value: object, hint: Any) -> None:  # noqa: ANN401 - a type hint
    """Refuse a ``value`` that is not of the type that ``hint`` declares; whole numbers are floats.

    Args:
        place: The option, for the message.
        value: The value as it was given, by YAML or the command line.
        hint: A plain type, or a union, literal, tuple or mapping of such.

    Raises:
        UserError: The value is of another type.
    """
    if not _test(hint)(value):
        raise UserError(f"{place} takes {_described(hint)}, got {quoted(value)}")


def typed(kind: type[T], content: Mapping[str, Any]) -> T:
    """Make a ``kind``, which is a dataclass, of its attributes as JSON has them.

    Raises:
        UserError: One is missing, unknown, or of another type.
    """
    key: Any = kind
    hints = _hints(key)
    for name, value in content.items():
        if name not in hints:
            raise UserError(f"there is no {name!r}; known: {', '.join(hints)}")
        require_type(name, value, hints[name])
    try:
        return kind(**content)
    except TypeError as error:
        raise UserError(error) from error


@cache
def _hints(kind: Any) -> Mapping[str, Any]:  # noqa: ANN401
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


@cache
def _test(hint: Any) -> Callable[[Any], bool]:  # noqa: ANN401
    """Make the test of values of a type, once: a store has thousands of records."""
    kind, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda _value: True
    if kind in (Union, UnionType):
        tests = [_test(part) for part in parts]
        return lambda value: any(test(value) for test in tests)
    if kind is Literal:
        return lambda value: any(type(value) is type(part) and value == part for part in parts)
    if kind is tuple:
        each = _test(parts[0])
        return lambda value: isinstance(value, list | tuple) and all(map(each, value))
    if kind is Mapping:
        name, each = map(_test, parts)
        return lambda value: (
            isinstance(value, Mapping) and all(map(name, value)) and all(map(each, value.values()))
        )
    wider = {float: (float, int), Path: (str, type(Path()))}
    types = wider.get(hint, (hint,))
    return lambda value: type(value) in types


def _described(hint: Any) -> str:  # noqa: ANN401
    kind, parts = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        return " or ".join(_described(part) for part in parts if part is not NoneType)
    if kind is Literal:
        return " or ".join(map(repr, parts))
    if kind is Mapping:
        return f"names with {_described(parts[1])}"
    if kind is tuple:
        return f"a list of {_described(parts[0])}"
    return str(getattr(hint, "__name__", hint))
