"""The store of cells: all files of their trainings, one folder each."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakd.foundation.determinism import lacks
from sakd.foundation.errors import DamagedError, UserError
from sakd.foundation.files import at_once, remove_partial
from sakd.foundation.frames import read_table
from sakd.foundation.locks import held
from sakd.foundation.options import typed
from sakd.foundation.sealing import AGAIN, file_sha256, read_sealed, write_sealed
from sakd.foundation.vocabulary import DONE
from sakd.study.checkpoints import Checkpoints
from sakd.study.evaluations import KEY_CHARACTERS, Evaluations
from sakd.study.grid import Cell
from sakd.study.history import read_history, write_history
from sakd.study.inside import Inside
from sakd.study.live import RUNNING

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

EVALUATIONS = "evaluations"
"""The folder of evaluations in a store."""

KEPT = (".safetensors", ".json", ".csv", ".parquet")
"""Endings of the files that a training leaves: weights, their cards, its history, its routing."""


@dataclass(frozen=True)
class Record:
    """The outcome of one training.

    Attributes:
        id: The id of the cell.
        key: Content hash of all that determines the result.
        status: ``done`` or ``failed``.
        facts: All that determines the result: dataset, networks, method, seed, parameters.
        epochs: Number of epochs that were trained.
        val_metric: The task's metric on the validation split after the last epoch.
        best_epoch: The epoch (from 1) that was best by this metric, the first of equals.
        seconds: Wall-clock time over all sittings.
        error: The error of a failed training.
        provenance: See `sakd.foundation.machine.provenance`.
        files: Sizes in bytes of the files in its folder, by name.
        sha256: Hashes of these files, by name; empty in records of earlier versions.
        ended: When it ended, UTC; empty in records of earlier versions.
    """

    id: str
    key: str
    status: str
    facts: Mapping[str, Any]
    epochs: int = 0
    val_metric: float | None = None
    best_epoch: int | None = None
    seconds: float = 0.0
    error: str | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)
    ended: str = ""


class Entry:
    """The folder of one training."""

    last, best = Inside("last.safetensors"), Inside("best.safetensors")
    further, average = Inside("further.safetensors"), Inside("ema.safetensors")
    epochs, outcome = Inside("epochs"), Inside("record.json")
    _history, _routing = Inside("history.csv"), Inside("routing.parquet")

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, which is created when a file is written."""
        self.folder = folder
        self.checkpoints = Checkpoints(folder)

    def record(self, remedy: str = AGAIN) -> Record | None:
        """Read the record; None if the training has not ended.

        Args:
            remedy: How to get it again, for messages.

        Raises:
            DamagedError: The record is damaged.
            UserError: It is of another version.
        """
        try:
            content = read_sealed(self.outcome, remedy)
        except FileNotFoundError:
            return None
        try:
            return typed(Record, content)
        except UserError as error:
            found = f"{self.outcome} is of another version, or damaged ({error})"
            raise UserError(f"{found}: use the version that wrote it, or delete it") from error

    def after(self, epoch: int) -> Path:
        """Name the file of the weights after an ``epoch``, if they are kept."""
        return self.epochs / f"{epoch:04d}.safetensors"

    def finished(self, key: str, epochs: Iterable[int] = ()) -> Record | None:
        """Read the record if the training of ``key`` is done and its files are intact; else None.

        The log says what is missing, damaged, or not deterministic though it is to be.

        Args:
            key: The content key of the training.
            epochs: Epochs whose weights must be among the files.

        Raises:
            UserError: The record is of another version.
        """
        try:
            record = self.record(remedy="trained again")
        except DamagedError as error:
            logger.warning("%s", error)
            return None
        if record is None or record.status != DONE or record.key != key:
            return None
        kept = (self.after(epoch).relative_to(self.folder).as_posix() for epoch in epochs)
        lacking = (f"{name} was not kept" for name in kept if name not in record.files)
        for fault in chain(lacks(record.provenance), self.faults(record), lacking):
            logger.warning("%s: %s: trained again", record.id, fault)
            return None
        return record

    def faults(self, record: Record) -> Iterator[str]:
        """Say in words which files of a training are not as they were written."""
        for name, size in record.files.items():
            path = self.folder / name
            if not path.is_file():
                yield f"{name} is missing"
            elif path.stat().st_size != size:
                yield f"{name} is cut off"
            elif record.sha256.get(name) not in (None, file_sha256(path)):
                yield f"{name} is damaged"

    @contextmanager
    def claimed(self, *, wait: bool = False) -> Iterator[None]:
        """Lock the folder against other runs meanwhile, after their end if it is to ``wait``.

        What a killed run has left half-written there is removed.

        Raises:
            ClaimedError: Another run holds the lock.
            OSError: The file system has no locks.
        """
        with held(self.folder.with_suffix(".lock"), f"training {self.folder}", wait=wait):
            remove_partial(self.folder)
            yield

    def finish(self, record: Record, history: Sequence[Mapping[str, float]]) -> Record:
        """Write the record last, so that a record implies a complete folder; return it."""
        if history:
            self.save_history(history)
        sizes, now = self._files(), datetime.now(UTC).isoformat(timespec="milliseconds")
        hashes = {name: file_sha256(self.folder / name) for name in sizes}
        record = replace(record, files=sizes, sha256=hashes, ended=now)
        write_sealed(self.outcome, asdict(record))
        if record.status == DONE:
            self.checkpoints.clear()
        return record

    def _files(self) -> dict[str, int]:
        kept = (p for p in self.folder.rglob("*") if p.suffix in KEPT and p != self.outcome)
        return {path.relative_to(self.folder).as_posix(): path.stat().st_size for path in kept}

    def clear(self) -> None:
        """Delete the folder and all in it."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def history(self) -> list[dict[str, float]]:
        """Read the records of the epochs, in order; they may differ in their terms.

        Raises:
            DamagedError: The file is damaged.
        """
        return read_history(self._history) if self._history.exists() else []

    def routing(self) -> pd.DataFrame | None:
        """Read the decisions on every training image; None where none were counted.

        Raises:
            UserError: The file is damaged.
        """
        return read_table(self._routing) if self._routing.exists() else None

    def save_routing(self, images: pd.DataFrame) -> None:
        """Write the decisions on every training image, see `sakd.training.tally.Tally.frame`."""
        with at_once(self._routing) as partial:
            images.to_parquet(partial, index=False, compression="zstd")

    def save_history(self, history: Sequence[Mapping[str, float]]) -> None:
        """Write the records of the epochs, whole or not at all."""
        write_history(self._history, history)


class CellStore:
    """A folder with the trainings of cells, grouped by row, and with their evaluations.

    A cell that is trained again with other parameters gets another folder, next to the old one:
    results that took hours are never overwritten, and old parameters find their results again.
    """

    def __init__(self, root: Path) -> None:
        """Use the folder ``root``."""
        self.root = root

    def entry(self, group: str, cell: str, key: str) -> Entry:
        """Give the folder of a training.

        Args:
            group: The id of the row, or ``teachers``.
            cell: The id of the cell.
            key: The content key of the training.
        """
        return Entry(self.root.joinpath(group, cell, key[:KEY_CHARACTERS]))

    def of(self, cell: Cell, key: str) -> Entry:
        """Give the folder of the training of ``cell``, whose content key is ``key``."""
        return self.entry(cell.kept.row, cell.kept.id, key)

    def folders(self) -> list[Path]:
        """List the folders of all trainings, finished or not."""
        cells = (cell for group in self.root.glob("*") for cell in group.glob("*"))
        own = {EVALUATIONS, RUNNING}
        found = (each for cell in cells if cell.parent.name not in own for each in cell.glob("*"))
        return sorted(folder for folder in found if folder.is_dir())

    @property
    def evaluations(self) -> Evaluations:
        """The evaluations of cells and teachers."""
        return Evaluations(self.root / EVALUATIONS)
