"""The rows of a grid in groups whose stages read and write alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sakd.networks.variants import slug
from sakd.pipelines.naming import node_of
from sakd.study.grid import Row
from sakd.study.parameters import Parameters
from sakd.study.splits import StudySplit, splits_of

STUDENTS = "students"


@dataclass(frozen=True)
class Group:
    """Rows whose stages differ in names alone.

    Attributes:
        name: The stage; that of a row is ``name@ROW``.
        taught: Whether a teacher is read.
        further: How many folders of cells are written besides the row's own: students without a
            teacher are kept under the first network of the path, also where that is no pair of the
            grid.
        items: What the names of a row's files are made of, by row.
    """

    name: str
    taught: bool
    further: int
    items: dict[str, dict[str, Any]]


def groups_of(parameters: Parameters) -> list[Group]:
    """Group the rows of a study."""
    parts = [
        (split, row)
        for split in splits_of(parameters)
        for row in split.parameters.grid.rows(parameters.data.slug)
    ]
    written = {row.id for _, row in parts}
    found: dict[tuple[bool, int], Group] = {}
    for split, row in parts:
        others = sorted({cell.kept.row for cell in row.cells} - written)
        written |= set(others)
        shape = row.taught, len(others)
        group = found.setdefault(shape, Group(_name(*shape), *shape, {}))
        group.items[row.id] = _item(split, row, others)
    return list(found.values())


def folders_of(groups: Sequence[Group]) -> list[str]:
    """Name the folders of cells that the rows of ``groups`` write."""
    own = [row for group in groups for row in group.items]
    items = [item for group in groups for item in group.items.values()]
    others = [value for item in items for key, value in item.items() if key.startswith("further")]
    return [*own, *others]


def _name(taught: bool, further: int) -> str:
    return STUDENTS + ("" if taught else "_untaught") + (f"_and_{further}" if further else "")


def _item(split: StudySplit, row: Row, others: Sequence[str]) -> dict[str, Any]:
    own = {
        "split": split.data,
        "teacher": slug(row.teacher),
        "student": slug(row.student),
        "seed": row.seed,
        "node": node_of(split, row),
    }
    return own | {f"further{number}": other for number, other in enumerate(others)}
