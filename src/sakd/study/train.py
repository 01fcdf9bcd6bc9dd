"""Run trainings: skip finished ones, resume interrupted ones, record failures."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack

from sakd.foundation.locks import ClaimedError
from sakd.study.bench import Bench
from sakd.study.pack import Pack, packs
from sakd.study.store import Record
from sakd.study.trainings import Training
from sakd.training.progress import Progress

logger = logging.getLogger(__name__)


def run_trainings(
    trainings: Sequence[Training], bench: Bench, progress: Progress, pack: int | None = None
) -> list[Record]:
    """Run the ``trainings`` that are not finished, in packs; record failures.

    An error of the disk is raised: it would end every training. On a CPU each training has the
    bits that it has alone, whatever is trained before it or at the same time.

    Args:
        trainings: The trainings.
        bench: The place where they run.
        progress: Shows and counts them.
        pack: The most trainings side by side; None for as many as memory allows.

    Returns:
        The records, in the order of the trainings.

    Raises:
        UserError: The record of an earlier training is damaged, or another run is training one of
            these.
        OSError: Results cannot be read or written.
    """
    with ExitStack() as claims:
        free = [training for training in trainings if _claimed(training, bench, claims)]
        records = _run(free, bench, progress, pack)
    for training in trainings:
        if training.key not in records:  # another row was training it
            with bench.entry(training).claimed(wait=True):
                records |= _run([training], bench, progress, pack)
    return [records[training.key] for training in trainings]


def _claimed(training: Training, bench: Bench, claims: ExitStack) -> bool:
    """Lock the folder of ``training``; give False if another row, which shares it, has done so."""
    try:
        claims.enter_context(bench.entry(training).claimed())
    except ClaimedError:
        if not training.shared:
            raise
        return False
    return True


def _run(
    trainings: Sequence[Training], bench: Bench, progress: Progress, pack: int | None
) -> dict[str, Record]:
    """Run the ``trainings`` that are not finished; give all records, by key."""
    records: dict[str, Record] = {}
    waiting = []
    for training in trainings:
        entry = bench.entry(training)
        if (record := entry.finished(training.key, training.keep)) is None:
            waiting.append(training)
        else:
            logger.info("%s: done already", training.title)
            entry.checkpoints.clear()  # a run that is killed just after the record leaves them
            progress.done()
            records[training.key] = record
    for group in packs(waiting, bench, pack):
        records |= {record.key: record for record in Pack(group, bench, progress).run()}
    return records


def run_training(training: Training, bench: Bench, progress: Progress) -> Record:
    """Run one training; see `run_trainings`.

    Raises:
        UserError: The record of an earlier training is damaged, or another run is training this
            one.
        OSError: Results cannot be read or written.
    """
    (record,) = run_trainings([training], bench, progress)
    return record
