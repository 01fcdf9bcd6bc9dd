"""Settings that make a study another one than the published, and settings that do not."""

from __future__ import annotations

import numpy as np
import pytest

from sakd.reporting.published.entries import SAKD, Entry
from sakd.reporting.published.protocol import KD_WEIGHT, PROTOCOLS, departures, standing

PUBLISHED = "sakd-cifar100"
SETTINGS = {**PROTOCOLS[PUBLISHED], KD_WEIGHT: 1, "data.val_fraction": 0.1}
AT = Entry(SAKD, "cifar100", "vgg13", "vgg8", "at", 1.0, "best", 0.7, 0.7, "")
TEACHER, STUDENT = (AT._replace(method=name, kd_weight=np.nan) for name in ("teacher", "student"))


def found(entry, policy="always", **changes):
    changed = {name.replace("__", "."): value for name, value in changes.items()}
    return [each.name for each in departures(SETTINGS | changed, PUBLISHED, entry, policy)]


def test_the_protocol_does_not_depart_from_itself():
    assert found(AT) == found(AT, "adaptive") == found(TEACHER) == found(STUDENT) == []


@pytest.mark.parametrize(
    ("change", "of_whom"),
    [
        ({"data__train_size": 5000}, "teacher student plain adaptive"),
        ({"data__student_per_class": 20}, "teacher student plain adaptive"),
        ({"data__val_fraction": 0.5}, "teacher student plain adaptive"),
        ({"teacher__epochs": 5}, "teacher plain adaptive"),
        ({"teacher_weights__vgg13": "a.safetensors"}, "teacher plain adaptive"),
        ({"student__epochs": 5}, "student plain adaptive"),
        ({"student__optimisation__lr": 0.1}, "student plain adaptive"),
        ({"student__augment__flip": False}, "student plain adaptive"),
        ({"student__augment__mixup": 0.2}, "student plain adaptive"),
        ({"student_lr__vgg8": 0.01}, "student plain adaptive"),
        ({"distillation__kd_weight": 0.5}, "plain adaptive"),
        ({"distillation__weights__at": 62.5}, "plain adaptive"),
        ({"distillation__options__kd__temperature": 2}, "plain adaptive"),
        ({"routing__same_family_bias": 0.0}, "adaptive"),
        ({"routing__options__adaptive__hidden": 9}, "adaptive"),
    ],
)
def test_a_setting_departs_for_those_whom_it_concerns(change, of_whom):
    (name,) = (each.replace("__", ".") for each in change)
    kinds = {
        "teacher": (TEACHER,),
        "student": (STUDENT,),
        "plain": (AT,),
        "adaptive": (AT, "adaptive"),
    }
    for kind, asked in kinds.items():
        assert found(*asked, **change) == ([name] if kind in of_whom.split() else []), kind


@pytest.mark.parametrize(
    "change",
    [
        {"data__path": "elsewhere"},
        {"data__val_fraction": 0.02},
        {"student__precision": "fast"},
        {"student__keep_epochs": 10},
        {"distillation__weights__dkd": 5},
        {"distillation__options__crd__negatives": 9},
        {"distillation__weights__sp": 1},
        {"routing__options__random__rate": 0.2},
        {"student_lr__MobileNetV2": 0.05},
        {"teacher_weights__vgg19": "a.safetensors"},
    ],
)
def test_what_leaves_an_accuracy_alone_is_no_departure(change):
    assert found(AT, "adaptive", **change) == []


def test_a_setting_that_is_missing_departs():
    settings = {name: each for name, each in SETTINGS.items() if name != "student.epochs"}
    (only,) = departures(settings, PUBLISHED, AT)
    assert str(only) == "student.epochs is not set (published: 240)"


def test_differences_of_every_study_are_named():
    said = " ".join(standing(SETTINGS | {"student.keep_epochs": 30, "data.duplicates": "drop"}))
    assert "0.1 of the training images are val" in said
    assert "twice" in said
    assert "last 30" in said
    short = SETTINGS | {"student.keep_epochs": 30, "student.epochs": 30}
    assert "the best epoch" not in " ".join(standing(short))
    assert "mean and deviation" in " ".join(standing({"data.options.statistics": "own"}))
