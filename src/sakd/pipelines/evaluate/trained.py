"""The trained networks of a grid, as the nodes of evaluation get them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sakd.data import Images, Parts
from sakd.pipelines.found import asked_record, asked_teacher
from sakd.pipelines.images import lessons
from sakd.pipelines.keys import taught_trainings
from sakd.study.grid import Cell, Row
from sakd.study.lessons import Lessons
from sakd.study.parameters import Parameters
from sakd.study.store import CellStore, Record
from sakd.study.sweeps import rows_of
from sakd.study.trainings import Training
from sakd.weights.saved import Weights

Made = Sequence[Weights | Mapping[str, Mapping[str, Any]]]
"""Copies of the weights of every teacher of the grid; and the records of all rows, which only say
that a stage has run: the store has them by their keys."""


@dataclass(frozen=True)
class TrainedRow:
    """A row whose cells were trained, or failed.

    Attributes:
        row: The row.
        teacher: The weights of its teacher; None where no cell needs them.
        images: The images that its students learned from.
        records: The record of each cell.
        trainings: The training of each cell.
    """

    row: Row
    teacher: Weights | None
    images: Images
    records: Mapping[Cell, Record]
    trainings: Mapping[Cell, Training]


@dataclass(frozen=True)
class TrainedGrid:
    """The trained networks of a grid.

    Attributes:
        images: All training images.
        cells: The store.
        parameters: All of them.
        teachers: The weights of every teacher, by its name in the grid.
    """

    images: Lessons
    cells: CellStore
    parameters: Parameters
    teachers: Mapping[str, Weights]

    @classmethod
    def find(
        cls,
        development: Parts,
        card: Mapping[str, Any],
        cells: CellStore,
        parameters: Parameters,
        made: Made,
    ) -> TrainedGrid:
        """Find the teachers of the grid, by their keys.

        Raises:
            UserError: One was not trained with these data and parameters.
        """
        images = lessons(development, card, parameters.data)
        copies = (found for found in made if isinstance(found, Weights))
        teachers = {
            name: asked_teacher(parameters.teacher_of(name), copy, images, cells)
            for name, copy in zip(parameters.grid.teachers(), copies, strict=True)
        }
        return cls(images, cells, parameters, teachers)

    def rows(self) -> Iterator[TrainedRow]:
        """Yield every row of the grid.

        Raises:
            UserError: A cell was not trained with these data and parameters.
        """
        for row in rows_of(self.parameters):
            teacher = self.teachers.get(row.teacher)
            trainings = taught_trainings(row, teacher, self.images, self.parameters)
            of = dict(zip(row.cells, trainings, strict=True))
            found = {cell: asked_record(cell, one.key, self.cells) for cell, one in of.items()}
            yield TrainedRow(row, teacher, trainings[0].images, found, of)
