"""Options of distillers and policies are checked at the door."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from sakd.errors import UserError
from sakd.objectives.build import Distillation, Routing


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"kd": {"warmth": 2.0}}, r"no option 'warmth'; known: temperature"),
        ({"kd": {"temperature": True}}, r"'temperature' of distiller 'kd' takes float, got True"),
        ({"fitnets": {}}, r"unknown distiller 'fitnets'; did you mean 'fitnet'"),
    ],
)
def test_an_option_that_no_distiller_takes_is_refused(
    options: dict[str, dict[str, float]], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        Distillation(options=options).check()


def test_a_policys_options_are_checked_likewise() -> None:
    with pytest.raises(UserError, match=r"policy 'random' takes float, got True"):
        Routing(options={"random": {"rate": True}}).check()


@pytest.mark.parametrize("value", [2, 2.5, True])
def test_an_options_value_keeps_its_kind(value: float) -> None:
    raw = {"options": {"kd": {"temperature": value}}}
    read = TypeAdapter(Distillation).validate_python(raw).options["kd"]["temperature"]
    assert (read, type(read)) == (value, type(value))
