"""The node that measures which training images distilled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from sakd.data import DataCard, Images, Parts
from sakd.foundation.vocabulary import DONE
from sakd.measures.routing import COLUMNS, Spot, extremes, merged, routing_rows
from sakd.pipelines.evaluate.trained import TrainedGrid, TrainedRow
from sakd.reporting.figures.sheets import sheet
from sakd.routing import POLICIES
from sakd.study.grid import Cell
from sakd.study.parameters import Parameters
from sakd.study.routing import Examiner, spots_of
from sakd.study.store import CellStore
from sakd.weights.saved import Weights

TILES = 8
"""Images in a row of a sheet."""

SHEETS = ("cell", "png", "text")


def measure_routing(
    development: Parts,
    card: Mapping[str, Any],
    cells: CellStore,
    parameters: Parameters,
    *made: Weights | Mapping[str, Mapping[str, Any]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure the routing of every finished cell whose decisions were counted.

    Args:
        development: The images that the cells learned from.
        card: Of the data.
        cells: Where the decisions and the weights are.
        parameters: All of them.
        made: The weights of every teacher of the grid, and the records of all rows.

    Returns:
        Lines of `sakd.measures.routing.routing_rows` with the ``cell``; and for each method's cell
        of the first seed a sheet of the images most and least routed at each spot: ``cell``, the
        picture as ``png``, and the same in words, ``text``.

    Raises:
        UserError: A cell of the grid was not trained with these data and parameters.
    """
    data, tables, sheets = DataCard.from_json(card), [], []
    for trained in TrainedGrid.find(development, card, cells, parameters, made).rows():
        device = parameters.find_device()
        examiner = Examiner(cells, trained.images, data, device)
        for cell, spots, table in _of_row(trained, examiner):
            tables.append(table.assign(cell=cell.id))
            if cell.seed == parameters.grid.seeds[0]:
                sheets += _sheet(cell, spots, trained.images, data)
    columns = ["cell", *COLUMNS]
    joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return joined[columns], pd.DataFrame(sheets, columns=list(SHEETS))


def _of_row(
    trained: TrainedRow, examiner: Examiner
) -> Iterator[tuple[Cell, list[Spot], pd.DataFrame]]:
    """Measure the cells of a row whose decisions were counted."""
    finished = {cell: record for cell, record in trained.records.items() if record.status == DONE}
    students = [(cell, record) for cell, record in finished.items() if cell.alone]
    for cell, record in finished.items():
        entry = examiner.cells.of(cell, record.key)
        if (decisions := entry.routing()) is None or trained.teacher is None:
            continue
        spots = merged(spots_of(decisions, entry.history()))
        alone = min(students, key=lambda one: one[0].swept != cell.swept, default=None)
        difficulty = examiner.difficulty(cell, record, trained.teacher, alone)
        labels, weighs = decisions["label"].to_numpy(), POLICIES[cell.policy].weighs
        yield cell, spots, routing_rows(spots, labels, difficulty, weighs=weighs)


def _sheet(
    cell: Cell, spots: list[Spot], images: Images, card: DataCard
) -> list[tuple[str, bytes, str]]:
    """Draw the sheet of a cell; none if no spot tells images apart."""
    rows, words = {}, []
    for spot in spots:
        for end, index in extremes(spot, TILES).items():
            shown = images.subset(images.labels.new_tensor(index))
            (rows[f"{spot.name}, {end}"],) = shown.as_they_are(len(index), "cpu")
            classes = [card.classes[label] for label in shown.labels]
            named = (f"{c} ({r:.2f})" for c, r in zip(classes, spot.rate[index], strict=True))
            words.append(f"{spot.name}, {end}: {', '.join(named)}")
    return [(cell.id, sheet(rows), "; ".join(words))] if rows else []
