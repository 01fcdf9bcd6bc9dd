"""Cells that are named by their axes: to be left out, or to have settings of their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from sakd.distillers.method import Method
from sakd.foundation.errors import UserError, require
from sakd.foundation.names import unknown
from sakd.foundation.vocabulary import NONE
from sakd.networks import check_network
from sakd.networks.paths import split_pair, split_path
from sakd.networks.variants import split_variant
from sakd.routing import POLICIES
from sakd.systems import SYSTEMS

if TYPE_CHECKING:
    from sakd.study.grid import Cell


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The cells that have one of the values that are given on every axis that is given.

    Attributes:
        pair: As in ``grid.pairs``.
        teacher: All that stands before the last slash of a pair.
        student: Names of networks.
        variant: Variants of teachers, wherever in a pair.
        distiller: As in ``grid.distillers``; ``none`` is the student alone.
        system: As in ``grid.systems``.
        policy: As in ``grid.policies``.
        seed: As in ``grid.seeds``.
    """

    pair: tuple[str, ...] = ()
    teacher: tuple[str, ...] = ()
    student: tuple[str, ...] = ()
    variant: tuple[str, ...] = ()
    distiller: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    seed: tuple[int, ...] = ()

    @property
    def axes(self) -> Mapping[str, tuple[object, ...]]:
        """The values on every axis that is given."""
        each = {part.name: getattr(self, part.name) for part in fields(Selection)}
        return {axis: values for axis, values in each.items() if values}

    def __str__(self) -> str:
        """Write it as in a file of parameters."""
        each = (f"{axis}: {', '.join(map(str, values))}" for axis, values in self.axes.items())
        return f"{{{', '.join(each)}}}"

    def selects(self, cell: Cell) -> bool:
        """Tell whether ``cell`` is one of them."""
        places = places_of(cell)
        return all(places[axis].intersection(values) for axis, values in self.axes.items())

    def check(self, parameter: str, cells: Collection[Cell], *, present: bool) -> None:
        """Check that the values are known.

        Args:
            parameter: The name of the parameter that it stands in.
            cells: All cells of the grid.
            present: Whether every value must be one of the grid, and not only a possible one.

        Raises:
            UserError: No axis is given, or a value is unknown.
        """
        named = ", ".join(part.name for part in fields(Selection))
        require(bool(self.axes), f"{parameter} names no cells: name one of {named}")
        places = [places_of(cell) for cell in cells]
        for axis, values in self.axes.items():
            known = {name: None for place in places for name in sorted(place[axis], key=str)}
            for value in values:
                if value in known:
                    continue
                if present or axis not in _LOOK_UP:
                    names = map(str, known or [NONE])
                    raise UserError(f"{parameter}: {unknown(axis, value, names)}")
                _look_up(parameter, axis, value)


@dataclass(frozen=True, kw_only=True)
class Override(Selection):
    """Settings of the cells of a selection.

    Attributes:
        settings: Parameters of students by their dotted names, such as ``student.batch_size``.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)


def places_of(cell: Cell) -> dict[str, set[Any]]:
    """Name the place of a cell on every axis; a teacher may be of several variants."""
    names = split_path(cell.teacher)[0]
    variants = {variant for name in names if (variant := split_variant(name)[1])}
    method = "distiller" if cell.system is None else "system"
    places: dict[str, set[Any]] = {
        "pair": {f"{cell.teacher}/{cell.student}"},
        "teacher": {cell.teacher},
        "student": {cell.student},
        "variant": variants,
        "distiller": set(),
        "system": set(),
        "policy": {cell.policy},
        "seed": {cell.seed},
    }
    return {**places, method: {cell.distiller}}


def _networks(name: str) -> None:
    for part in split_path(name)[0]:
        check_network(split_variant(part)[0])


def _pair(name: str) -> None:
    split_pair(name)
    _networks(name)


_LOOK_UP: Mapping[str, Callable[[Any], object]] = {
    "pair": _pair,
    "teacher": _networks,
    "student": check_network,
    "distiller": lambda name: name == NONE or Method.of(name),
    "system": SYSTEMS.__getitem__,
    "policy": lambda name: name == NONE or POLICIES[name],
    "seed": lambda seed: require(seed >= 0, f"{seed} is negative; seeds start at 0"),
}
"""How to find a value that the grid does not have; of variants only those of the grid are known."""


def _look_up(parameter: str, axis: str, value: Any) -> None:  # noqa: ANN401 - of any axis
    try:
        _LOOK_UP[axis](value)
    except UserError as error:
        raise UserError(f"{parameter}, {axis}: {error}") from error
