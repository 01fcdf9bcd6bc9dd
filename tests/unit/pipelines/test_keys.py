"""Keys by which a stage refuses what an earlier one made with other data or parameters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sakd.data import Splits
from sakd.foundation.errors import UserError
from sakd.networks.renormalised import Statistics
from sakd.objectives.parameters import Distillation
from sakd.pipelines.keys import (
    _without_classes,
    check_key,
    own_training,
    student_settings,
    teacher_key,
    teacher_settings,
)
from sakd.study.lessons import Lessons
from sakd.study.parameters import Parameters
from sakd.study.recipe import Recipe
from sakd.study.teachers import Education, Teacher
from sakd.weights.saved import Weights

PARAMETERS = Parameters()


def test_a_key_is_compared_and_the_stage_that_made_it_is_named() -> None:
    check_key("it", "ee", "ee", made_by="teacher")
    with pytest.raises(UserError, match=r"it was made with other data .*--pipelines teacher"):
        check_key("it", "ff", "ee", made_by="teacher")


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"device": "cuda"}, False),
        ({"threads": 2}, False),
        ({"trackers": ("tensorboard",)}, False),
        ({"student": Recipe(epochs=7)}, True),
        ({"data": replace(PARAMETERS.data, student_per_class=3)}, True),
        ({"data": replace(PARAMETERS.data, split_seed=3)}, True),
    ],
)
def test_settings_of_students_are_those_that_change_results(
    change: dict[str, Any], counts: bool, splits: Splits
) -> None:
    card = splits.card.to_json()
    settings = student_settings(PARAMETERS, card)
    assert (student_settings(replace(PARAMETERS, **change), card) != settings) is counts
    assert student_settings(PARAMETERS, card | {"sha256": "0"}) != settings
    assert student_settings(PARAMETERS, card | {"mean": [0.1]}) != settings


def test_a_teacher_of_a_file_is_known_by_its_content_and_how_it_is_read(
    tmp_path: Path, lessons: Lessons
) -> None:
    file = tmp_path / "teacher.safetensors"
    file.write_bytes(b"one")
    given = Teacher("resnet14", Recipe(), 0, file=file)
    others = [
        replace(given, name="resnet8"),
        replace(given, renames={"a": "b"}),
        replace(given, statistics=Statistics((0.1,), (0.2,))),
    ]
    keys = [teacher_key(each, lessons) for each in (given, *others)]
    file.write_bytes(b"two")
    keys += [teacher_key(given, lessons), teacher_key(replace(given, file=None), lessons)]
    assert len(set(keys)) == 6
    assert teacher_key(given, lessons) == keys[4]


def test_a_teacher_of_some_classes_learns_from_their_images_alone(lessons: Lessons) -> None:
    plain = Teacher("resnet14", Recipe(), 0)
    whole, part = (
        own_training(each, lessons) for each in (plain, replace(plain, classes=("ant", "bee")))
    )
    assert (whole.classes, part.classes) == (("ant", "bee", "cat"), ("ant", "bee"))
    assert len(part.images) == sum(lessons.card.counts["train"][:2])
    assert len(whole.images) == sum(lessons.card.counts["train"])


def test_a_teacher_that_is_taught_has_another_key_by_each_of_its_own_teachers(
    lessons: Lessons, teacher: Weights
) -> None:
    alone, above = Teacher("resnet8", Recipe(), 0), Teacher("resnet14", Recipe(), 0)
    taught = replace(alone, education=Education(above, "kd", Distillation()))
    other = replace(taught, education=Education(replace(above, seed=1), "kd", Distillation()))
    training = own_training(taught, lessons, teacher)
    assert training.taught_by is not None
    assert training.network == "resnet8"
    assert len({teacher_key(each, lessons) for each in (alone, above, taught, other)}) == 4


def test_settings_of_a_teacher_leave_out_what_it_has_not(splits: Splits) -> None:
    card, plain = splits.card.to_json(), Teacher("resnet14", Recipe(), 0)
    settings = teacher_settings(plain, card)
    assert teacher_settings(replace(plain, keep=(3,)), card) == settings
    assert teacher_settings(replace(plain, seed=1), card) != settings
    assert teacher_settings(replace(plain, at=3), card) != settings


def test_classes_are_left_out_of_settings_where_there_are_none() -> None:
    described = {"teacher": {"classes": (), "seed": 1}, "others": [{"classes": ()}]}
    assert _without_classes(described) == {"teacher": {"seed": 1}, "others": ({},)}
    assert _without_classes({"classes": ("ant",)}) == {"classes": ("ant",)}
