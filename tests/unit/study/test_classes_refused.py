"""Teachers that know some of the classes: what is refused before anything is trained."""

from __future__ import annotations

from typing import Any

import pytest

from sakd.data import DataCard
from sakd.foundation.errors import UserError
from sakd.study.parsing import parse_parameters
from sakd.study.rehearsal import rehearse_systems
from unit.study.beasts import CLASSES, STUDY

CARD = DataCard(
    name="beasts",
    classes=CLASSES,
    channels=1,
    height=8,
    width=8,
    mean=(0.5,),
    std=(0.25,),
    counts={"train": (9,) * 5},
    source="made for the test",
    key="1",
    sha256="0123",
)


@pytest.mark.parametrize(
    ("grid", "complaint"),
    [
        (
            {"pairs": "resnet20@one/resnet8", "distillers": "kd", "systems": []},
            "'resnet20@one/resnet8' has a teacher .*'kd' learns from teachers of all: .*cfl",
        ),
        ({"systems": "average"}, "'average' learns from teachers of all: .*joined_kd"),
        (
            {"pairs": "resnet20&vgg8/resnet8"},
            "'joined_kd' learns from trained teachers of different classes, and those of "
            "'resnet20&vgg8/resnet8' know all classes: take variants that have classes",
        ),
        ({"pairs": "resnet20@one/resnet8"}, "learns with .*different classes, .*resnet20@other"),
        (
            {"pairs": "resnet20@one/resnet14/resnet8", "distillers": "kd", "systems": []},
            "'resnet20@one/resnet14' has a teacher that knows some of the classes alone",
        ),
        (
            {"pairs": "resnet20/resnet14@one/resnet8", "distillers": "kd", "systems": []},
            "'resnet20/resnet14@one' knows some of the classes alone, .*without classes",
        ),
        ({"policies": "adaptive"}, "'joined_kd'.* cannot be routed"),
    ],
)
def test_methods_that_cannot_learn_from_such_teachers_are_refused(
    grid: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        parse_parameters({**STUDY, "grid": {**STUDY["grid"], **grid}})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "complaint"),
    [
        (["ant..cat"], ["cat..eel"], "resnet8@one and resnet8@other know class 'cat': divide"),
        (["ant..bee"], ["dog..eel"], "of 'resnet8@one&resnet8@other' no teacher knows class 'cat'"),
        (["ant..cat"], [], "resnet8@one and resnet8@other know class 'ant'"),
        (["ant..cta"], ["dog..eel"], "classes of resnet8@one: unknown class 'cta'; .*'cat'"),
        (["ant", "ant"], ["dog..eel"], "classes of resnet8@one: class 'ant' is named twice"),
        (["ant..dog"], ["eel"], "classes of resnet8@other: eel: fewer than 2 classes"),
    ],
)
def test_classes_that_are_not_divided_are_refused_before_anything_is_trained(
    one: list[str], other: list[str], complaint: str
) -> None:
    variants = {"one": {"classes": one}, "other": {"classes": other}}
    made = parse_parameters({**STUDY, "teacher_variants": variants})
    with pytest.raises(UserError, match=complaint) as caught:
        rehearse_systems(made, CARD)
    assert "\n" not in str(caught.value)


def test_classes_that_are_divided_are_fine() -> None:
    rehearse_systems(parse_parameters(STUDY), CARD)


def test_all_leaves_systems_of_different_classes_out() -> None:
    grid = {"pairs": "resnet20&vgg8/resnet8", "systems": "all", "distillers": []}
    every = parse_parameters({"grid": grid})
    assert "average" in every.grid.systems
    assert not {"joined_kd", "layerwise_ka", "cfl"} & set(every.grid.systems)
