"""Find the trainings of a store that nothing uses any more, and remove them."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from sakd.foundation.errors import DamagedError
from sakd.foundation.folders import files_below
from sakd.foundation.locks import ClaimedError
from sakd.foundation.vocabulary import DONE
from sakd.study.store import CellStore, Entry, Record
from sakd.study.trainings import TEACHERS
from sakd.weights.saved import load_weights

DAY = 86400

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Old:
    """A training that nothing uses.

    Attributes:
        folder: All its files.
        size: Their bytes.
        changed: When one of them was written last, in seconds since 1970.
    """

    folder: Path
    size: int
    changed: float

    @property
    def name(self) -> str:
        """The id of its cell, and the beginning of its key."""
        return f"{self.folder.parent.name}/{self.folder.name}"


def old_trainings(store: CellStore, used: Collection[Path], before: float) -> list[Old]:
    """List the trainings of ``store`` that are not ``used``, the largest first.

    A teacher stays as long as a training that stays has learned from it.

    Args:
        store: The store.
        used: The folders of the trainings that stay.
        before: Trainings with a file that is younger stay too, in seconds since 1970.
    """
    found = [_old(folder) for folder in store.folders() if folder not in used]
    old = [one for one in found if one.changed < before]
    stays = set(store.folders()) - {one.folder for one in old}
    taught_by = {_teacher_of(Entry(folder)) for folder in stays}
    gone = [one for one in old if not _teaches(one.folder, taught_by)]
    return sorted(gone, key=lambda one: -one.size)


def remove(store: CellStore, old: Iterable[Old]) -> list[Old]:
    """Delete trainings, with what was measured of them; give those that another run holds."""
    held = []
    for one in old:
        entry = Entry(one.folder)
        try:
            with entry.claimed():
                store.evaluations.forget(one.folder.parent.name, one.folder.name)
                shutil.rmtree(one.folder)
        except ClaimedError:
            held.append(one)
    return held


def _old(folder: Path) -> Old:
    files = [state for _, state in files_below(folder)]
    changed = max((file.st_mtime for file in files), default=folder.stat().st_mtime)
    return Old(folder, sum(file.st_size for file in files), changed)


def _teacher_of(entry: Entry) -> object:
    """Find the hash of the weights from which a finished training has learned."""
    record = _record(entry)
    return None if record is None else record.facts.get("teacher_weights")


def _teaches(folder: Path, taught_by: Collection[object]) -> bool:
    entry = Entry(folder)
    if folder.parent.parent.name != TEACHERS or not entry.last.exists():
        return False
    record = _record(entry)
    if record is None or record.status != DONE:
        return False
    try:
        return load_weights(entry.last).sha256() in taught_by
    except DamagedError as error:  # nothing can be learned from it again
        logger.warning("%s", error)
        return False


def _record(entry: Entry) -> Record | None:
    """Read a record; a damaged one is like none, for its training would be trained again."""
    try:
        return entry.record("trained again where the grid asks for it")
    except DamagedError as error:
        logger.warning("%s", error)
        return None
