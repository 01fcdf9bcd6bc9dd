"""Keys by which a stage refuses what an earlier one made with other data or parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from hashlib import file_digest, sha256
from typing import Any

from sakd.data import DataCard
from sakd.data.splits.restricted import restricted
from sakd.foundation.errors import require
from sakd.pipelines.inputs import student_start, teacher_start
from sakd.study.assistants import assistant_training
from sakd.study.classes import classes_of
from sakd.study.computing import Computing
from sakd.study.grid import Row
from sakd.study.lessons import Lessons
from sakd.study.parameters import Parameters
from sakd.study.sweeps import parameters_of, variants_of
from sakd.study.teachers import Teacher
from sakd.study.trainings import Training, cell_training, teacher_training
from sakd.weights.saved import Weights

ASIDE = (
    *(field.name for field in fields(Computing)),
    *("trackers", "report", "grid", "data", "assistants"),
)
"""Parameters that no result of a student depends on; or that its data and its key stand for."""

UNKNOWN = Weights({})
"""Stands for weights on which a key depends by the key of their own teacher."""


def teacher_key(teacher: Teacher, images: Lessons) -> str:
    """Hash all that determines a teacher's weights.

    Raises:
        UserError: Its file cannot be read.
    """
    if teacher.whole is not None:
        return _digest({"at": teacher.at}, of=teacher_key(teacher.whole, images))
    if teacher.members:
        return _digest({}, members=[teacher_key(member, images) for member in teacher.members])
    if teacher.education is not None:
        above = teacher_key(teacher.education.teacher, images)
        return _digest({"own": own_training(teacher, images, UNKNOWN).key}, taught_by=above)
    if teacher.file is None:
        return own_training(teacher, images).key
    with teacher.file.open("rb") as file:
        content = file_digest(file, "sha256").hexdigest()
    read_as = {"network": teacher.network, "renames": dict(teacher.renames)}
    statistics = teacher.statistics and asdict(teacher.statistics)
    return _digest(read_as, file=content, statistics=statistics, data=images.card.sha256)


def own_training(teacher: Teacher, images: Lessons, *taught_by: Weights) -> Training:
    """Make the training of a teacher that is trained here.

    Args:
        teacher: Where its weights should come from.
        images: All training images.
        taught_by: The weights of its own teacher, if it has one.

    Raises:
        UserError: The file that it starts from cannot be read.
    """
    start = teacher_start(teacher, images.card)
    lessons_of_it = replace(images, label_noise=teacher.label_noise)
    if teacher.classes:
        known = restricted(images.train, classes_of(teacher, images.card))
        lessons_of_it = replace(lessons_of_it, train=known)
    alone = teacher_training(teacher.name, teacher.seed, lessons_of_it, teacher.recipe, start)
    alone = replace(alone, keep=teacher.keep)
    if teacher.education is None:
        return alone
    (above,) = taught_by
    return assistant_training(alone, lessons_of_it, teacher.education, above, start)


def taught_trainings(
    row: Row, weights: Weights | None, images: Lessons, parameters: Parameters
) -> list[Training]:
    """Make the trainings of a row's cells.

    Args:
        row: The cells.
        weights: The teacher's; None where no cell needs them.
        images: All training images.
        parameters: All of them.

    Raises:
        UserError: The file of weights that the student starts from does not fit it.
    """
    labelled = replace(images, per_class=parameters.data.student_per_class)
    start = student_start(row.student, images.card, parameters)
    usual = parameters.student_recipe(row.student)
    each = [(cell, parameters_of(cell, parameters)) for cell in row.cells]
    return [
        cell_training(
            cell,
            weights,
            labelled,
            usual if own is parameters else own.student_recipe(row.student),
            distillation=own.distillation,
            routing=own.routing,
            systems=own.systems,
            start=start,
        )
        for cell, own in each
    ]


def check_key(name: str, found: object, expected: str, *, made_by: str) -> None:
    """Compare the key of what the pipeline ``made_by`` has made with the expected one.

    Raises:
        UserError: They differ.
    """
    complaint = f"{name} was made with other data or parameters: run --pipelines {made_by} with"
    require(found == expected, f"{complaint} these first")


def teacher_settings(teacher: Teacher, card: Mapping[str, Any]) -> str:
    """Hash the settings and the data of a teacher, which its evaluation records."""
    described = _without_classes(asdict(teacher))
    for name in ("education", "members", "whole", "at", "keep"):  # added after evaluations
        if not described[name] or name == "keep":
            del described[name]
    return _digest(described, data=_normalised(card))


def student_settings(parameters: Parameters, card: Mapping[str, Any]) -> str:
    """Hash the settings and the data of students, which their evaluation records.

    The grid is left out: a report may cover a part of what was evaluated.
    """
    counted = _without_classes(asdict(parameters))
    for name in ASIDE:
        del counted[name]
    data = parameters.data
    labelled = {"per_class": data.student_per_class, "seed": data.splitting().drawn_by}
    return _digest(counted, labelled=labelled, data=_normalised(card))


def _without_classes(described: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out that teachers know all classes, which was added after evaluations."""

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return _without_classes(value)
        return tuple(map(plain, value)) if isinstance(value, list | tuple) else value

    return {n: plain(value) for n, value in described.items() if n != "classes" or value}


def settings_of_cells(parameters: Parameters, card: Mapping[str, Any]) -> dict[str, str]:
    """Hash the settings of every cell of a study and the data, by the id of the cell."""
    found: dict[str, str] = {}
    for own, cells in variants_of(parameters):
        found |= dict.fromkeys((cell.id for cell in cells), student_settings(own, card))
    return found


def _normalised(card: Mapping[str, Any]) -> list[object]:
    return [card["sha256"], DataCard.from_json(card).normalisation]


def _digest(*parts: Mapping[str, Any], **more: object) -> str:
    content = json.dumps([*parts, more], sort_keys=True, default=lambda path: str(path.resolve()))
    return sha256(content.encode()).hexdigest()
