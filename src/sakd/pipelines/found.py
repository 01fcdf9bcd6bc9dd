"""Find the work of earlier stages by its keys.

Runs with other parameters that share a folder of data overwrite each other's copies of teachers and
records; what they trained stays in the store.
"""

from __future__ import annotations

from dataclasses import replace

from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE
from sakd.pipelines.inputs import finished_teacher
from sakd.pipelines.keys import own_training, teacher_key
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.networks import joined
from sakd.study.store import CellStore, Record
from sakd.study.teachers import Teacher
from sakd.weights.saved import Weights, load_weights


def asked_teacher(teacher: Teacher, made: Weights, images: Lessons, cells: CellStore) -> Weights:
    """Give the weights of ``teacher`` that the present data and parameters ask for.

    Args:
        teacher: Where they should come from.
        made: The copy of the last run that made some; perhaps of another teacher of this name.
        images: All training images.
        cells: The store.

    Raises:
        UserError: They have not been made yet, or their file does not fit.
    """
    found = find_teacher(teacher, made, images, cells)
    if found is None:
        complaint = f"{teacher.name} was not trained with these data and parameters"
        raise UserError(f"{complaint}: run --pipelines teacher with these first")
    return found


def find_teacher(
    teacher: Teacher, made: Weights | None, images: Lessons, cells: CellStore
) -> Weights | None:
    """Find the weights of ``teacher``; None if it is to be trained, see `asked_teacher`."""
    if made is None or made.card.get("key") != teacher_key(teacher, images):
        return read_teacher(teacher, images, cells)
    intact = made.card.get("sha256") == made.sha256()
    return made if intact else read_teacher(teacher, images, cells)


def read_teacher(teacher: Teacher, images: Lessons, cells: CellStore) -> Weights | None:
    """Read the weights of ``teacher`` from its file, or from trainings in the store.

    Returns:
        The weights; ``key`` in their card stands for all that they depend on, ``sha256`` for the
        tensors. None if a training is not finished.

    Raises:
        UserError: The file cannot be read, or is of another network or other classes.
    """
    weights = finished_teacher(teacher, images.card) or _trained(teacher, images, cells)
    if weights is None:
        return None
    signature = {"key": teacher_key(teacher, images), "sha256": weights.sha256()}
    return replace(weights, card={**weights.card, **signature})


def _trained(teacher: Teacher, images: Lessons, cells: CellStore) -> Weights | None:
    """Read what was trained here; join the weights of several teachers."""
    above = [read_teacher(other, images, cells) for other in teacher.needs]
    known = [weights for weights in above if weights is not None]
    if len(known) < len(above):
        return None
    if teacher.members:
        return joined(teacher.network, known)
    if teacher.whole is not None:
        return _state(teacher, teacher.whole, images, cells)
    training = own_training(teacher, images, *known)
    entry = cells.entry(training.group, training.id, training.key)
    if (record := entry.finished(training.key)) is None:
        return None
    weights = load_weights(entry.last)
    spent = {"seconds": record.seconds, "ended": record.ended}
    return replace(weights, card={**weights.card, **spent})


def _state(teacher: Teacher, whole: Teacher, images: Lessons, cells: CellStore) -> Weights | None:
    """Read the state that ``teacher`` is of the training of ``whole``, which is finished."""
    above = [weights for one in whole.needs if (weights := read_teacher(one, images, cells))]
    training = own_training(whole, images, *above)
    entry = cells.entry(training.group, training.id, training.key)
    finished = entry.finished(training.key, [teacher.at]) is not None
    return load_weights(entry.after(teacher.at)) if finished else None


def asked_record(cell: Cell, key: str, cells: CellStore) -> Record:
    """Give the record of the training of ``cell`` whose content key is ``key``; it may have failed.

    Raises:
        UserError: There is none, its files are not complete, or it is damaged.
    """
    entry = cells.of(cell, key)
    record = entry.record()
    failed = record is not None and record.key == key and record.status != DONE
    found = record if failed else entry.finished(key)
    if found is None:
        complaint = f"{cell.id} was not trained with these data and parameters"
        raise UserError(f"{complaint}: run --pipelines students with these first")
    return found
