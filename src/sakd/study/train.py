"""Train the cells of a row: skip what is done, resume what was cut off, record what failed."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from sakd.data import Augment, BatchStream, DataCard, Images
from sakd.foundation.errors import UserError, require
from sakd.foundation.machine import provenance
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.objectives import Objective
from sakd.study.evaluation import top1
from sakd.study.recorder import Recorder, State, best_epoch
from sakd.study.store import CellStore, Entry, Record
from sakd.training import Callback, Optimisation, Run, fit, pretrain
from sakd.training.progress import Progress
from sakd.weights.saved import Weights, save_weights

logger = logging.getLogger(__name__)

FORMAT = 4
"""Part of every content key: raise it when a change of the code changes results.

2: adapters are made for any two shapes, and some of those between maps have another kernel; the
key tells the code of networks from outside, whether the teacher is trained too, and by what images
are normalised; ab compares responses before the rectifier.
3: ab and ofd compare features of pre-activation networks after the next stage's batch norm.
4: every purpose draws from a generator of its own, so that runs of one seed are fully paired;
a last batch of one image joins the one before it.
"""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the defaults are the protocol of arXiv:2205.02399.

    Attributes:
        epochs: passes over the training images.
        batch_size: images per step; the last batch holds the rest, see `sakd.data.batches.stream`.
        optimisation: of the network.
        augment: of the training images.
        keep_epochs: the weights of that many last epochs are kept for ``test_top1_best``.
        checkpoint_seconds: shortest time between two checkpoints to resume from.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    epochs: int = 240
    batch_size: int = 64
    optimisation: Optimisation = field(default_factory=Optimisation)
    augment: Augment = field(default_factory=Augment)
    keep_epochs: int = 30
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            require(value >= 1, f"{name} must be 1 or more, got {value}")
        require(self.keep_epochs >= 0, f"keep_epochs must not be negative: {self.keep_epochs}")


@dataclass(frozen=True)
class Training:
    """One network to train.

    Attributes:
        group: the folder of the store, a row's id.
        id: names the job in the store and in the log.
        facts: all that determines the result, as plain JSON; hashed into the content key.
        network: the name of the network whose weights are kept.
        build: makes the objective, from torch's seeded random state.
        images: what it learns from.
        training: how.
        optimisation: by player.
        seed: of initial weights, batches and routing.
    """

    group: str
    id: str
    facts: Mapping[str, Any]
    network: str
    build: Callable[[], Objective]
    images: Images
    training: Recipe
    optimisation: Mapping[str, Optimisation]
    seed: int

    @property
    def key(self) -> str:
        """Content hash of `facts`."""
        content = json.dumps({"format": FORMAT, **self.facts}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class Bench:
    """Where jobs are run, and how they are watched: the validation images, never the test."""

    val: Images
    card: DataCard
    store: CellStore
    device: torch.device


def run_training(job: Training, bench: Bench, progress: Progress) -> Record:
    """Train ``job`` unless that is done; a failure is recorded, not raised.

    A disk that cannot be written to is raised: the other jobs would fail there too.

    The network and the batches depend on the job alone, so a cell gives the same bits whatever
    else is trained, before it or beside it (on one CPU).

    Raises:
        UserError: the record of an earlier training is damaged, or another run is at this job.
        OSError: what is kept cannot be read or written.
    """
    entry = bench.store.entry(job.group, job.id, job.key)
    with entry.claimed():
        record = entry.finished(job.key)
        if record is None:
            return _attempt(job, bench, entry, progress)
    logger.info("%s: done already", job.id)
    return record


def _attempt(job: Training, bench: Bench, entry: Entry, progress: Progress) -> Record:
    """Train ``job``; its failure is its own, but that of the disk is everybody's."""
    started = time.monotonic()
    bench.store.forget_evaluation(job.id, job.key)
    try:
        return _train(job, bench, entry, progress)
    except OSError:
        raise
    except Exception as error:
        seconds = time.monotonic() - started
        message = f"{type(error).__name__}: {error}"
        mendable = isinstance(error, UserError)
        logger.error("%s failed: %s", job.id, message, exc_info=not mendable)
        return entry.finish(replace(_record(job, bench), seconds=seconds, error=message), [])


def _train(job: Training, bench: Bench, entry: Entry, progress: Progress) -> Record:
    state = entry.checkpoint(job.key)
    if state is None:
        entry.clear()
    clock = _Clock(0.0 if state is None else state["seconds"])
    card = bench.card
    objective = job.build().to(bench.device)
    stream = BatchStream(
        job.images.to(bench.device),
        mean=card.mean,
        std=card.std,
        batch_size=job.training.batch_size,
        seed=job.seed,
        augment=job.training.augment,
        device=bench.device,
    )
    val = bench.val.to(bench.device)
    prepared = state is None and pretrain(
        objective, stream, lambda name: progress.of(f"{job.id}, {name} beforehand")
    )
    keeper = _Keeper(job, bench, entry, clock, checkpoint_at_start=prepared)
    recorder = Recorder(
        keeper,
        keep_epochs=job.training.keep_epochs,
        checkpoint_seconds=job.training.checkpoint_seconds,
    )
    history = fit(
        objective,
        stream,
        epochs=job.training.epochs,
        optimisation=job.optimisation,
        evaluate=lambda network: {"val_top1": top1(network, val, card, bench.device)},
        callbacks=(keeper, recorder, *progress.of(job.id)),
        resume=state,
    )
    record = replace(
        _record(job, bench),
        status=DONE,
        epochs=len(history),
        val_top1=history[-1]["val_top1"],
        best_epoch=best_epoch(history, "val_top1"),
        seconds=clock.seconds(),
    )
    keeper.save(entry.last, len(history), objective.network.state_dict())
    return entry.finish(record, history)


def _record(job: Training, bench: Bench) -> Record:
    """What is known of ``job`` before its outcome."""
    made_with = provenance(str(bench.device))
    return Record(job.id, job.key, FAILED, job.facts, provenance=made_with)


class _Clock:
    """Seconds of training, over all sittings."""

    def __init__(self, before: float) -> None:
        self._started = time.monotonic() - before

    def seconds(self) -> float:
        return time.monotonic() - self._started


@dataclass
class _Keeper(Callback):
    """Puts a recorder's harvest into the job's folder."""

    job: Training
    bench: Bench
    entry: Entry
    clock: _Clock
    checkpoint_at_start: bool

    def on_start(self, run: Run) -> None:
        """Have the metrics at hand, which grow with the run."""
        self.history = run.history
        if self.checkpoint_at_start:
            self.save_checkpoint(run.state())

    def save_epoch(self, epoch: int, state: State) -> None:
        self.save(self.entry.epochs / f"{epoch:04d}.safetensors", epoch, state)

    def save_best(self, epoch: int, state: State) -> None:
        self.save(self.entry.best, epoch, state)

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        progress = {**state, "key": self.job.key, "seconds": self.clock.seconds()}
        self.entry.save_checkpoint(progress)

    def save(self, path: Path, epoch: int, state: Mapping[str, Any]) -> None:
        card = {
            "network": self.job.network,
            "epoch": epoch,
            "metrics": self.history[epoch - 1],
            "seed": self.job.seed,
            "facts": self.job.facts,
            "data": self.bench.card.to_json(),
            "provenance": provenance(str(self.bench.device)),
        }
        save_weights(Weights(state, card), path)
