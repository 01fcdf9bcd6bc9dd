"""Run trainings: skip finished ones, resume interrupted ones, record failures."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from sakd.data import BatchStream, Prepared
from sakd.foundation.errors import UserError
from sakd.foundation.machine import provenance
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.study.recorder import Recorder, best_epoch
from sakd.study.store import CellStore, Entry, Record
from sakd.study.trainings import Training
from sakd.training import Run, pretrain, train
from sakd.training.progress import Progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bench:
    """The place where trainings run; it has validation images, never test images.

    Attributes:
        val: The validation images.
        store: The store of the results.
        device: The device to train on.
    """

    val: Prepared
    store: CellStore
    device: torch.device

    def stream(self, training: Training) -> BatchStream:
        """Make the batches that ``training`` learns from."""
        return BatchStream(
            training.images.to(self.device),
            mean=self.val.card.mean,
            std=self.val.card.std,
            batch_size=training.recipe.batch_size,
            seed=training.seed,
            augment=training.recipe.augment,
            device=self.device,
        )


def run_training(training: Training, bench: Bench, progress: Progress) -> Record:
    """Run ``training`` unless it is finished; a failure is recorded, not raised.

    An error of the disk is raised: it would end the other trainings, too.

    The network and the batches depend on the training alone, so on a CPU a cell has the same bits
    whatever else is trained before or at the same time.

    Raises:
        UserError: The record of an earlier training is damaged, or another run is training this
            one.
        OSError: A file cannot be read or written.
    """
    entry = bench.store.entry(training.group, training.id, training.key)
    with entry.claimed():
        record = entry.finished(training.key)
        if record is None:
            return _attempt(training, bench, entry, progress)
    logger.info("%s: done already", training.id)
    return record


def _attempt(training: Training, bench: Bench, entry: Entry, progress: Progress) -> Record:
    """Run ``training`` and record its failure, unless that is of the disk."""
    started = time.monotonic()
    bench.store.forget_evaluation(training.id, training.key)
    try:
        return _train(training, bench, entry, progress)
    except OSError:
        raise
    except Exception as error:
        seconds = time.monotonic() - started
        message = f"{type(error).__name__}: {error}"
        mendable = isinstance(error, UserError)
        logger.error("%s failed: %s", training.id, message, exc_info=not mendable)
        return entry.finish(replace(_record(training, bench), seconds=seconds, error=message), [])


def _train(training: Training, bench: Bench, entry: Entry, progress: Progress) -> Record:
    state = entry.checkpoint(training.key)
    if state is None:
        entry.clear()
    before = 0.0 if state is None else state["seconds"]
    recorder = Recorder(training, entry, bench.val.card, str(bench.device), before)
    objective, stream = training.build().to(bench.device), bench.stream(training)
    recorder.checkpoint_at_start = state is None and pretrain(
        objective, stream, lambda name: progress.of(f"{training.id}, {name} beforehand")
    )
    run = Run(
        objective,
        epochs=training.recipe.epochs,
        optimisation=training.optimisation,
        evaluate=_Validation(training, bench),
        callbacks=(recorder, *progress.of(training.id)),
        resume=state,
    )
    train([run], stream)
    if run.failure is not None:
        raise run.failure
    recorder.save_last(run)
    record = replace(
        _record(training, bench),
        status=DONE,
        epochs=len(run.history),
        val_metric=run.history[-1][f"val_{training.task.metric}"],
        best_epoch=best_epoch(training, run.history),
        seconds=recorder.seconds(),
    )
    return entry.finish(record, run.history)


class _Validation:
    """Measure a network on the validation images."""

    def __init__(self, training: Training, bench: Bench) -> None:
        self.task = training.task
        self.device = bench.device
        self.val = replace(bench.val, images=bench.val.images.to(bench.device))

    def __call__(self, network: nn.Module) -> Mapping[str, float]:
        metric = self.task.metric
        return {f"val_{metric}": self.task.measures(network, self.val, self.device)[metric]}


def _record(training: Training, bench: Bench) -> Record:
    """Record what is known about ``training`` before its outcome."""
    made_with = provenance(str(bench.device))
    return Record(training.id, training.key, FAILED, training.facts, provenance=made_with)
