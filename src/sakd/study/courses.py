"""All distillations that a study trains, of students and of teachers that are taught themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sakd.networks.variants import network_of
from sakd.study.grid import Cell
from sakd.study.parameters import Parameters
from sakd.study.sweeps import variants_of
from sakd.systems import system_of


class Course(NamedTuple):
    """Distillation by one method from one network into another.

    Attributes:
        method: The distillers.
        teacher: The network that teaches.
        student: The network that learns.
        epochs: How long it learns.
        place: Where this is set, for messages.
    """

    method: str
    teacher: str
    student: str
    epochs: int
    place: str


def courses(parameters: Parameters) -> Iterator[tuple[Parameters, Course]]:
    """Yield the distillations of a study with their parameters, each once."""
    for own, cells in variants_of(parameters):
        yield from ((own, course) for course in dict.fromkeys(_of_students(own, cells)))
    for course in dict.fromkeys(_of_teachers(parameters)):
        yield parameters, course


def _of_students(parameters: Parameters, cells: Iterable[Cell]) -> Iterator[Course]:
    epochs = parameters.student.epochs
    for cell in cells:
        if cell.system is None and not cell.alone:
            place = f"distiller {cell.distiller!r} on {cell.teacher}/{cell.student}, student.epochs"
            yield Course(cell.distiller, network_of(cell.teacher), cell.student, epochs, place)


def _of_teachers(parameters: Parameters) -> Iterator[Course]:
    for teacher in map(parameters.teacher_of, parameters.grid.teachers()):
        education = teacher.education
        if education is not None and system_of(education.distiller) is None:
            method, above = education.distiller, education.teacher.network
            place = f"assistants.distiller {method!r} on {teacher.name}, its epochs"
            yield Course(method, above, teacher.network, teacher.recipe.epochs, place)
