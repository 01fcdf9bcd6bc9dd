"""Values of options are of the types that they are declared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from sakd.foundation.errors import UserError
from sakd.foundation.options import require_type, typed

Kind = Literal["a", "b"]


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        *((1, int), (1, float), (0.5, float), (True, bool), ("x", str), (None, int | None)),
        *((3, int | None), ("a", Kind), ("b", Kind | None), ("x", Any), ("x", Path)),
        *(([1, 2], tuple[int, ...]), ((), tuple[int, ...]), ({"x": 1}, Mapping[str, int])),
        ({"x": [1]}, Mapping[str, Any]),
    ],
)
def test_a_value_of_the_type_is_taken(value: object, hint: object) -> None:
    require_type("option", value, hint)


@pytest.mark.parametrize(
    ("value", "hint", "said"),
    [
        ("8", int, "takes int, got '8'"),
        (True, int, "takes int, got True"),
        (1.0, int, "takes int, got 1.0"),
        (True, float, "takes float, got True"),
        (1, bool, "takes bool, got 1"),
        (None, int, "takes int, got None"),
        ("x", int | None, "takes int, got 'x'"),
        ("c", Kind, "takes 'a' or 'b', got 'c'"),
        ([1, "x"], tuple[int, ...], r"takes a list of int, got \[1, 'x'\]"),
        ({"x": "y"}, Mapping[str, int], "takes names with int"),
        (7, Mapping[str, int], "takes names with int, got 7"),
    ],
)
def test_any_other_value_is_refused(value: object, hint: object, said: str) -> None:
    with pytest.raises(UserError, match=f"^option {said}"):
        require_type("option", value, hint)


@dataclass(frozen=True)
class Pet:
    name: str
    legs: int = 4
    diet: Mapping[str, float] = field(default_factory=dict)


def test_a_dataclass_is_made_of_entries_of_its_types() -> None:
    assert typed(Pet, {"name": "ant", "diet": {"sugar": 1}}) == Pet("ant", diet={"sugar": 1})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "missing .*'name'"),
        ({"name": 1}, "name takes str, got 1"),
        ({"name": "ant", "legs": "6"}, "legs takes int, got '6'"),
        ({"name": "ant", "diet": {"sugar": None}}, "diet takes names with float"),
        ({"name": "ant", "wings": 2}, "no 'wings'; known: name, legs, diet"),
    ],
)
def test_any_other_entry_is_refused(content: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        typed(Pet, content)
