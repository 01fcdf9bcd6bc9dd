"""Options and traits of policies: their values, and which values are refused."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import pytest

from sakd.foundation.errors import UserError
from sakd.routing import POLICIES, RoutingPolicy

DEFAULTS: dict[str, dict[str, Any]] = {
    "adaptive": {"temperature": 5.0},
    "random": {"rate": 0.5},
    "random_matched": {"temperature": 5.0},
    "anti": {"temperature": 5.0},
    "budget": {"temperature": 5.0, "rate": 0.5, "strength": 1.0},
    "heldout": {"temperature": 5.0},
    "conditional": {"keep_labels": False},
    "agreeing": {"temperature": 4.0},
    "uncertain": {"share": 0.75, "score": "entropy"},
}
"""A training that names no option has these; another default is another policy."""

TRAITS = {
    "adaptive": {"trained", "grafted", "among"},
    "always": {"grafted", "settled", "among"},
    "random": {"grafted", "settled", "among"},
    "random_matched": {"trained", "grafted", "among"},
    "anti": {"trained", "grafted"},
    "budget": {"trained", "grafted"},
    "heldout": {"trained", "grafted", "learns_aside"},
    "conditional": {"grafted"},
    "better": {"grafted"},
    "agreeing": {"grafted"},
    "uncertain": {"grafted", "settled"},
    "prime": {"trained", "weighs"},
}
"""What the rest of the project may rely on, see `RoutingPolicy`."""

NUMBERS = [
    (name, option)
    for name, options in DEFAULTS.items()
    for option, value in options.items()
    if isinstance(value, float)
]


def test_the_defaults_are_those_that_are_written_down() -> None:
    found = {
        name: {
            each.name: each.default
            for each in inspect.signature(kind.__init__).parameters.values()
            if each.kind is each.KEYWORD_ONLY
        }
        for name, kind in POLICIES.items()
    }
    assert {name: options for name, options in found.items() if options} == DEFAULTS


def test_the_traits_are_those_that_are_written_down() -> None:
    traits = [name for name, value in vars(RoutingPolicy).items() if isinstance(value, bool)]
    found = {
        name: {trait for trait in traits if getattr(kind, trait)} for name, kind in POLICIES.items()
    }
    assert found == TRAITS


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        *((*number, value) for number in NUMBERS for value in (-1.0, math.nan)),
        ("random", "rate", 1.01),
    ],
)
def test_values_out_of_range_and_those_that_are_no_numbers_are_refused(
    name: str, option: str, value: float, make: Callable[..., RoutingPolicy]
) -> None:
    with pytest.raises(UserError, match=rf"^{option} .*{value}"):
        make(name, **{option: value})
