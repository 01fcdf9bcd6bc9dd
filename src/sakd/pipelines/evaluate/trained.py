"""The trained networks of a grid, as the nodes of evaluation get them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sakd.data import Images, Parts
from sakd.foundation.errors import UserError
from sakd.pipelines.keys import check_key, row_trainings
from sakd.study.grid import Cell, Row
from sakd.study.parameters import Parameters
from sakd.study.store import Record
from sakd.weights.saved import Weights

Made = Sequence[Weights | Mapping[str, Mapping[str, Any]]]
"""The weights of every teacher of the grid, and the records of every row."""


@dataclass(frozen=True)
class TrainedRow:
    """A row whose cells were trained, or failed.

    Attributes:
        row: The row.
        teacher: The weights of its teacher.
        images: The images that its students learned from.
        records: The record of each cell.
    """

    row: Row
    teacher: Weights
    images: Images
    records: Mapping[Cell, Record]


def teachers_of(parameters: Parameters, made: Made) -> dict[str, Weights]:
    """Give the weights of every teacher, by its name in the grid."""
    weights = (found for found in made if isinstance(found, Weights))
    return dict(zip(parameters.grid.teachers(), weights, strict=True))


def trained_rows(
    development: Parts, card: Mapping[str, Any], parameters: Parameters, made: Made
) -> Iterator[TrainedRow]:
    """Yield every row of the grid.

    Raises:
        UserError: A cell of the grid has no record, or one of other data or parameters.
    """
    weights = teachers_of(parameters, made)
    records = [found for found in made if not isinstance(found, Weights)]
    rows = parameters.grid.rows(parameters.data.slug)
    for row, outcomes in zip(rows, records, strict=True):
        teacher = weights[row.teacher]
        trainings = row_trainings(row, teacher, development, card, parameters)
        pairs = zip(row.cells, trainings, strict=True)
        found = {cell: _record(cell, training.key, outcomes) for cell, training in pairs}
        yield TrainedRow(row, teacher, trainings[0].images, found)


def _record(cell: Cell, key: str, outcomes: Mapping[str, Mapping[str, Any]]) -> Record:
    if cell.id not in outcomes:
        raise UserError(f"{cell.id} was not trained: run --pipelines students with this grid")
    record = Record(**outcomes[cell.id])
    check_key(cell.id, record.key, key, made_by="students")
    return record
