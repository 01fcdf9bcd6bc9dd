"""Checks of the axes of a grid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sakd.distillers import DISTILLERS
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError, require
from sakd.networks import check_network
from sakd.networks.paths import check_path
from sakd.networks.variants import slug, split_variant
from sakd.study.selection import Override, Selection
from sakd.systems import SYSTEMS

if TYPE_CHECKING:
    from sakd.study.grid import Cell


def check_axes(axes: Mapping[str, Sequence[Any]]) -> None:
    """Check the values of the ``axes`` of a grid, by name.

    Raises:
        UserError: An axis is empty or repeats itself, or a seed is negative.
    """
    for name, values in axes.items():
        filled = bool(values) or name in ("distillers", "systems")
        require(filled, f"grid.{name} is empty: name at least one")
        once = len(set(values)) == len(values)
        every = ", ".join(map(str, values))
        require(once, f"grid.{name} repeats itself: {every}; name each once")
    found = "grid.distillers is empty, and so is grid.systems"
    require(bool(axes["distillers"] or axes["systems"]), f"{found}: name at least one")
    first = min(axes["seeds"])
    require(first >= 0, f"grid.seeds: {first} is negative; seeds start at 0")


def check_networks(
    pairs: Iterable[str], students: Iterable[str], networks: Iterable[str], partners: Iterable[str]
) -> None:
    """Check the ``pairs`` of a grid, its ``students``, all ``networks`` and all ``partners``.

    Raises:
        UserError: A pair names a network twice, a student is a variant, a network is unknown, or
            two names would share a file name.
    """
    for pair in pairs:
        check_path(pair)
    for student in students:
        network, variant = split_variant(student)
        found = f"grid.pairs: the student {student!r}: only teachers have variants"
        require(variant is None, f"{found}; name it {network!r}")
    for network in networks:
        check_network(network)
    names: dict[str, str] = {}
    for name in dict.fromkeys((*networks, *partners)):
        other = names.setdefault(slug(name), name)
        if other != name:
            raise UserError(
                f"grid.pairs: {other!r} and {name!r} would share the file name {slug(name)!r}: "
                "write a network the same way everywhere, and rename one of two that differ"
            )


def check_methods(distillers: Iterable[str], systems: Iterable[str]) -> None:
    """Check that no method of a grid is there twice, and none is on the axis of the others.

    Raises:
        UserError: One is.
    """
    methods: dict[frozenset[str], str] = {}
    for name in distillers:
        found = f"grid.distillers: {name!r} is a system: name it in grid.systems"
        require(name not in list(SYSTEMS), found)
        other = methods.setdefault(frozenset(Method.of(name).distillers), name)
        if other != name:
            raise UserError(
                f"grid.distillers: {other!r} and {name!r} are the same method: leave one out"
            )
    for name in systems:
        found = f"grid.systems: {name!r} is a distiller: name it in grid.distillers"
        require(name not in list(DISTILLERS), found)
        _ = SYSTEMS[name]


def check_selections(
    cells: Collection[Cell], exclude: Sequence[Selection], overrides: Sequence[Override]
) -> None:
    """Check that what a grid leaves out was there, and that its overrides name what could be.

    Args:
        cells: All cells, with those that are left out.
        exclude: What is left out.
        overrides: What has settings of its own; one environment may hold those of cells that a
            run leaves out.

    Raises:
        UserError: A value is unknown, nothing or everything is left out, or settings are missing.
    """
    for each in exclude:
        each.check("grid.exclude", cells, present=True)
        found = f"grid.exclude: {each} leaves nothing out"
        require(any(map(each.selects, cells)), f"{found}: correct it, or delete it")
    left = any(not any(each.selects(cell) for each in exclude) for cell in cells)
    require(left, "grid.exclude leaves out every cell: delete a part of it")
    for one in overrides:
        one.check("grid.overrides", cells, present=False)
        require(bool(one.settings), f"grid.overrides: {one} has no settings: name some")
