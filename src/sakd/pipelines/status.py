"""Find what is done of a study, what runs at this moment, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sakd.foundation.determinism import lacks
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.pipelines.plan import Rows, Scope, parts_of
from sakd.study.beacon import live_path
from sakd.study.live import Live, read_live
from sakd.study.status import MISSING, RUNS, Part, State, Status
from sakd.study.store import CellStore, Record
from sakd.study.trainings import Training


def find_status(data: str, scopes: Sequence[Scope], cells: CellStore) -> Status:
    """Read the records of a study, and the files of what is at work; write nothing.

    The files of weights are not read, so a damaged one counts as done. Whether networks and methods
    can take the data is not tried: planning and running do that. What must be deterministic counts
    as done as it does for a run, see `sakd.foundation.determinism.lacks`.

    Args:
        data: The name of the data.
        scopes: The parts of the study, by split of the data.
        cells: The store.

    Raises:
        UserError: A file of weights does not fit.
    """
    teachers, pairs = parts_of(scopes, cells)
    return Status(
        data,
        *([_part(name, rows, cells) for name, rows in each.items()] for each in (teachers, pairs)),
    )


def _part(name: str, rows: Rows, cells: CellStore) -> Part:
    return Part(name, len(rows), [_state(training, cells) for row in rows for training in row])


def _state(training: Training, cells: CellStore) -> State:
    key = training.key
    try:
        record = cells.entry(training.group, training.id, key).record()
    except UserError as error:
        return State(training.title, MISSING, str(error))
    known = record if record is not None and record.key == key else None
    fault = None if known is None else next(lacks(known.provenance), None)
    if known is not None and known.status == DONE and fault is None:
        return State(training.title, DONE, span=span(known))
    live = _live(training.id, key, cells)
    if live is not None:
        return State(training.title, RUNS, live=live)
    if known is not None and known.status == FAILED:
        return State(training.title, FAILED, known.error)
    return State(training.title, MISSING, fault)


def _live(name: str, key: str, cells: CellStore) -> Live | None:
    """Read how far a training is; None if it does not run, or its process was killed."""
    live = read_live(live_path(cells.root, name, key))
    return None if live is None or live.stopped else live


def span(record: Record) -> tuple[float, float] | None:
    """Tell when a cell was trained, from and to in seconds since 1970; None if it is not known."""
    try:
        end = datetime.fromisoformat(record.ended).timestamp()
    except (ValueError, OverflowError):  # of an earlier version, or of another program
        return None
    return end - record.seconds, end
