"""Keys by which a stage refuses what an earlier one made with other data or parameters."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from sakd.data import Splits
from sakd.foundation.errors import UserError
from sakd.networks.renormalised import Statistics
from sakd.objectives.parameters import Distillation, Routing
from sakd.pipelines.keys import (
    _without_classes,
    check_key,
    own_training,
    settings_of_cells,
    student_settings,
    taught_trainings,
    teacher_key,
    teacher_settings,
)
from sakd.study.lessons import Lessons
from sakd.study.networks import fresh_network
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.recipe import Recipe
from sakd.study.sweeps import rows_of
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


def test_the_order_of_parameters_does_not_matter(splits: Splits) -> None:
    card, each = splits.card.to_json(), ({"at": 1.0, "sp": 2.0}, {"sp": 2.0, "at": 1.0})
    found = [replace(PARAMETERS, distillation=Distillation(weights=weights)) for weights in each]
    assert len({student_settings(parameters, card) for parameters in found}) == 1


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
    card = replace(lessons.card, sha256="0" * 64)
    of_other_data = replace(lessons, train=replace(lessons.train, card=card))
    keys += [teacher_key(given, of_other_data)]
    assert len(set(keys)) == 7
    assert teacher_key(given, lessons) == keys[4]


def test_several_teachers_and_a_state_are_known_by_those_that_they_are_made_of(
    lessons: Lessons,
) -> None:
    one = Teacher("resnet14", Recipe(), 0)
    other = replace(one, seed=1)
    teachers = [
        one,
        replace(one, members=(one, other)),
        replace(one, members=(other, one)),
        replace(one, members=(one,)),
        replace(one, whole=one, at=3),
        replace(one, whole=one, at=4),
        replace(one, whole=other, at=3),
    ]
    keys = [teacher_key(each, lessons) for each in teachers]
    assert len(set(keys)) == len(keys)
    assert keys == [teacher_key(each, lessons) for each in teachers]


def test_a_teacher_is_trained_as_its_settings_say(lessons: Lessons) -> None:
    plain = Teacher("resnet14", Recipe(), 0)
    alone = own_training(plain, lessons)
    assert (alone.keep, own_training(replace(plain, keep=(3, 5)), lessons).keep) == ((), (3, 5))
    noisy = own_training(replace(plain, label_noise=0.5), lessons)
    wrong = (noisy.images.labels != alone.images.labels).sum()
    assert int(wrong) == round(0.5 * len(alone.images))
    assert teacher_key(replace(plain, label_noise=0.5), lessons) == noisy.key != alone.key


@pytest.fixture
def study() -> Parameters:
    """A method by two policies at two temperatures, and a system."""
    grid = {
        "pairs": "resnet14/resnet8",
        "distillers": "kd",
        "systems": "ema",
        "policies": "always+adaptive",
        "baseline": False,
        "sweep": {"distillation.options.kd.temperature": [2.0, 4.0]},
    }
    return parse_parameters({"grid": grid})


EVERY = ["ema-always", "kd-adaptive", "kd-always"]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"distillation": Distillation(ce_weight=0.5)}, ["kd-adaptive", "kd-always"]),
        ({"routing": Routing(gamma=3.0)}, ["kd-adaptive"]),
        ({"systems": {"ema": {"decay": 0.5}}}, ["ema-always"]),
        ({"student": Recipe(epochs=7)}, EVERY),
        ({"student_weights": {"resnet8": Path("start.safetensors")}}, EVERY),
        ({"data": replace(PARAMETERS.data, student_per_class=4)}, EVERY),
        ({"device": "cuda"}, []),
    ],
    ids=str,
)
def test_the_trainings_of_a_row_are_as_the_parameters_say(
    study: Parameters,
    lessons: Lessons,
    teacher: Weights,
    change: dict[str, Any],
    changed: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    save_file(fresh_network("resnet8", lessons.card).state_dict(), "start.safetensors")
    (row,) = rows_of(study)
    before, after = (
        [training.key for training in taught_trainings(row, teacher, lessons, parameters)]
        for parameters in (study, replace(study, **change))
    )
    assert len(set(before)) == len(row.cells) == 5
    each = zip(row.cells, before, after, strict=True)
    others = {f"{cell.distiller}-{cell.policy}" for cell, old, new in each if old != new}
    assert sorted(others) == changed


def test_a_cell_is_trained_by_the_recipe_of_its_settings(
    lessons: Lessons, teacher: Weights
) -> None:
    grid = {"pairs": "resnet14/resnet8", "distillers": "kd", "policies": "always"}
    swept = parse_parameters({"grid": {**grid, "sweep": {"student.epochs": [3, 5]}}})
    (row,) = rows_of(swept)
    trainings = taught_trainings(row, teacher, lessons, swept)
    assert {training.recipe.epochs for training in trainings} == {3, 5}


def test_cells_of_equal_settings_have_them_recorded_by_one_hash(
    study: Parameters, splits: Splits
) -> None:
    found = settings_of_cells(study, splits.card.to_json())
    (row,) = rows_of(study)
    assert set(found) == {cell.id for cell in row.cells}
    swept = {cell.swept: found[cell.id] for cell in row.cells}
    assert len(swept) == len(set(found.values())) == 3
    assert all(found[cell.id] == swept[cell.swept] for cell in row.cells)


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
    brighter = {**card, "mean": [0.1]}
    assert teacher_settings(plain, brighter) != settings


def test_settings_of_a_plain_teacher_last(splits: Splits) -> None:
    described = {
        "name": "resnet14",
        "recipe": asdict(Recipe()),
        "seed": 0,
        "file": None,
        "start": None,
        "renames": {},
        "statistics": None,
        "label_noise": 0.0,
    }
    data = [splits.card.sha256, splits.card.normalisation]
    content = json.dumps([described, {"data": data}], sort_keys=True)
    settings = teacher_settings(Teacher("resnet14", Recipe(), 0), splits.card.to_json())
    assert settings == sha256(content.encode()).hexdigest()


def test_settings_of_a_teacher_have_the_place_of_its_file_wherever_the_run_is(
    splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, plain = splits.card.to_json(), Teacher("resnet14", Recipe(), 0)
    monkeypatch.chdir(tmp_path)
    here, there = (replace(plain, file=Path(name)) for name in ("a.pt", "b.pt"))
    whole = replace(plain, file=tmp_path / "a.pt")
    assert teacher_settings(here, card) == teacher_settings(whole, card)
    assert teacher_settings(here, card) != teacher_settings(there, card)


def test_classes_are_left_out_of_settings_where_there_are_none() -> None:
    described = {"teacher": {"classes": (), "seed": 0}, "others": [{"classes": ()}]}
    assert _without_classes(described) == {"teacher": {"seed": 0}, "others": ({},)}
    assert _without_classes({"classes": ("ant",)}) == {"classes": ("ant",)}
