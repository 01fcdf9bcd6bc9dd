"""Teachers that know some of the classes alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sakd.data import DataCard
from sakd.data.splits.restricted import named_classes
from sakd.foundation.errors import UserError, require
from sakd.foundation.vocabulary import NONE
from sakd.study.networks import DATA, MEMBERS
from sakd.study.teachers import Teacher, check_variants
from sakd.systems import SYSTEMS, Partner, system_of

if TYPE_CHECKING:
    from sakd.study.grid import Cell
    from sakd.study.parameters import Parameters


def check_teachers(parameters: Parameters) -> None:
    """Check that the teachers of a grid can be made.

    Raises:
        UserError: A variant is unknown; a state is beyond its training; or a teacher knows other
            classes than one that it teaches.
    """
    check_variants(parameters.grid.partners(), parameters.teacher_variants)
    for name in parameters.grid.partners():
        _check_education(parameters.teacher_of(name))


def check_lessons(parameters: Parameters, cells: Iterable[Cell]) -> None:
    """Check that the methods of ``cells`` learn from teachers of the classes that theirs know.

    Raises:
        UserError: One does not.
    """
    methods: dict[tuple[str, str], dict[str, None]] = {}
    for cell in cells:
        methods.setdefault((cell.teacher, cell.student), {})[cell.distiller] = None
    for (teacher, student), names in methods.items():
        partial = _partial(parameters.teacher_of(teacher))
        _check_methods(f"{teacher}/{student}", names, partial=partial)


def classes_of(teacher: Teacher, card: DataCard) -> tuple[str, ...]:
    """Name the classes of the data that ``teacher``, one network, knows, in their order.

    Raises:
        UserError: A class is unknown or is named twice, or there is none but one.
    """
    if not teacher.classes:
        return card.classes
    try:
        return named_classes(teacher.classes, card.classes)
    except UserError as error:
        raise UserError(f"teacher_variants, classes of {teacher.name}: {error}") from error


def description(teacher: Teacher, card: DataCard) -> dict[str, Any]:
    """Describe the classes of ``teacher`` as the card of its weights does.

    Raises:
        UserError: Of several teachers of different classes, none knows a class or two do; or a
            class is unknown.
    """
    if not teacher.members:
        return {DATA: {"classes": list(classes_of(teacher, card))}}
    if _partial(teacher):
        _check_cover(teacher, card)
    return {MEMBERS: [description(member, card) for member in teacher.members]}


def _partial(teacher: Teacher) -> bool:
    """Tell whether a teacher, or one of several, knows some of the classes alone."""
    return any(one.classes for one in teacher.members or (teacher,))


def _check_cover(teacher: Teacher, card: DataCard) -> None:
    known = {member.name: classes_of(member, card) for member in teacher.members}
    for name in card.classes:
        able = [member for member, classes in known.items() if name in classes]
        found = f"grid.pairs: of {teacher.name!r} {' and '.join(able) or 'no teacher'}"
        verb = "know" if len(able) > 1 else "knows"
        remedy = "divide all classes among the teachers, in teacher_variants"
        require(len(able) == 1, f"{found} {verb} class {name!r}: {remedy}")


def _check_education(teacher: Teacher) -> None:
    if teacher.education is None:
        return
    found = f"grid.pairs: {teacher.name!r} has a teacher that knows some of the classes alone"
    require(not _partial(teacher.education.teacher), f"{found}: {_remedy()}")
    found = f"grid.pairs: {teacher.name!r} knows some of the classes alone, and its teacher others"
    require(not teacher.classes, f"{found}: name a variant without classes")


def _check_methods(pair: str, names: Iterable[str], *, partial: bool) -> None:
    kinds = {name: system_of(name) for name in names if name != NONE}
    able = [name for name, kind in kinds.items() if kind and kind.partner is Partner.PARTS]
    others = [name for name, kind in kinds.items() if kind is None or kind.partner.trained]
    for name in (name for name in others if name not in able):
        found = f"grid.pairs: {pair!r} has a teacher that knows some of the classes alone"
        require(not partial, f"{found}, and {name!r} learns from teachers of all: {_remedy()}")
    for name in able:
        found = f"grid.pairs: {name!r} learns from {Partner.PARTS.value}, and those of {pair!r}"
        remedy = "take variants that have classes, described in teacher_variants"
        require(partial, f"{found} know all classes: {remedy}")


def _remedy() -> str:
    fit = (name for name, kind in SYSTEMS.items() if kind.partner is Partner.PARTS)
    return f"take one of the systems for teachers of different classes: {', '.join(fit)}"
