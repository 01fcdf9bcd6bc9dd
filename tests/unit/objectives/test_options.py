"""Options of distillers and policies are checked at the door."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from sakd.distillers import DISTILLERS
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.objectives.parameters import Distillation, Routing


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"kd": {"warmth": 2.0}}, r"no option 'warmth'; known: temperature"),
        ({"kd": {"temperature": True}}, r"'temperature' of distiller 'kd' takes float, got True"),
        ({"kd": {"temperature": 0.0}}, r"'kd': temperature must be above 0, got 0.0"),
        ({"dkd": {"beta": -8.0}}, r"'dkd': beta must not be negative: -8.0"),
        ({"dist": {"tau": 0}}, r"'dist': tau must be above 0, got 0"),
        ({"dist": {"gamma": -1.0}}, r"'dist': gamma must not be negative"),
        ({"rkd": {"angle_weight": -1.0}}, r"'rkd': angle_weight must not be negative"),
        ({"cc": {"feat_dim": 0}}, r"'cc': feat_dim must be above 0"),
        ({"ab": {"margin": -1.0}}, r"'ab': margin must not be negative"),
        ({"ft": {"factor_ratio": -0.5}}, r"'ft': factor_ratio must be above 0, got -0.5"),
        ({"ft": {"pretrain_lr": 0.0}}, r"'ft': pretrain_lr must be above 0"),
        ({"ft": {"p2": 0.5}}, r"'ft': p2 must be 1 or more, got 0.5"),
        ({"crd": {"temperature": 0.0}}, r"'crd': temperature must be above 0"),
        ({"crd": {"momentum": 1.0}}, r"'crd': momentum must be in \[0, 1\), got 1.0"),
        ({"reviewkd": {"most_channels": 0}}, r"'reviewkd': most_channels must be above 0"),
        ({"cwd": {"temperature": 0.0}}, r"'cwd': temperature must be above 0"),
        ({"ka": {"epsilon": 1.0}}, r"'ka': epsilon must be between 0 and 1, got 1.0"),
        ({"dtd": {"beta": -1.0}}, r"'dtd': beta must not be negative: -1.0"),
        ({"category": {"inter": -1.0}}, r"'category': inter must not be negative: -1.0"),
        ({"triplet": {"margin": -1.0}}, r"'triplet': margin must not be negative: -1.0"),
        ({"lcc": {"grid": 0}}, r"'lcc': grid must be 1 or more, got 0"),
        ({"afd": {"width": 0}}, r"'afd': width must be above 0, got 0"),
        ({"fitnets": {}}, r"unknown distiller 'fitnets'; did you mean 'fitnet'"),
    ],
)
def test_an_option_that_no_distiller_takes_is_refused(
    options: dict[str, dict[str, float]], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        Distillation(options=options).check()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"random": {"rate": True}}, r"policy 'random' takes float, got True"),
        ({"random": {"rate": 1.5}}, r"policy 'random': rate must be in \[0, 1\], got 1.5"),
        ({"anti": {"temperature": 0.0}}, r"policy 'anti': temperature must be above 0, got 0.0"),
    ],
)
def test_a_policys_options_are_checked_likewise(
    options: dict[str, dict[str, float]], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        Routing(options=options).check()


STANDARDISED = {"standardise": True}


@pytest.mark.parametrize(
    ("method", "options", "complaint"),
    [
        ("dkd", {}, r"'dkd': beta 8\.0 .* 2 classes.* beta to 0, or take kd"),
        ("dist", {}, r"'dist': beta 1\.0 .* 2 classes.* beta to 0"),
        ("kd", STANDARDISED, r"'kd': standardise True .* 2 classes.* to false"),
        ("at", STANDARDISED, r"'kd': standardise True .* 2 classes.* to false"),
    ],
)
def test_a_term_that_is_constant_on_two_classes_is_refused(
    method: str, options: dict[str, bool], complaint: str
) -> None:
    distillation = Distillation(options={"kd": options})
    distillation.check_classes(Method.of(method), 3)
    with pytest.raises(UserError, match=complaint):
        distillation.check_classes(Method.of(method), 2)


def test_every_distiller_takes_two_classes_without_its_constant_terms() -> None:
    without = {"dkd": {"beta": 0.0}, "dist": {"beta": 0.0}}
    for name in DISTILLERS:
        Distillation(options=without).check_classes(Method.of(name), 2)


def test_any_distillers_options_can_be_tried() -> None:
    Distillation(options={name: {} for name in DISTILLERS}).check()


@pytest.mark.parametrize("value", [2, 2.5, True])
def test_an_options_value_keeps_its_kind(value: float) -> None:
    raw = {"options": {"kd": {"temperature": value}}}
    read = TypeAdapter(Distillation).validate_python(raw).options["kd"]["temperature"]
    assert (read, type(read)) == (value, type(value))
