"""Where trainings run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from sakd.data import BatchStream, Prepared
from sakd.foundation.machine import provenance
from sakd.foundation.vocabulary import FAILED
from sakd.study.store import CellStore, Entry, Record
from sakd.study.trainings import Training
from sakd.tasks import Task


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

    def entry(self, training: Training) -> Entry:
        """The folder of ``training``."""
        return self.store.entry(training.group, training.id, training.key)

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

    def record(self, training: Training) -> Record:
        """Record what is known about ``training`` before its outcome."""
        made_with = provenance(str(self.device))
        return Record(training.id, training.key, FAILED, training.facts, provenance=made_with)


class Validation:
    """Measure networks on the validation images, by the metric of a task."""

    def __init__(self, task: Task, bench: Bench) -> None:
        """Move the images to the device of ``bench``."""
        self.task = task
        self.device = bench.device
        self.val = replace(bench.val, images=bench.val.images.to(bench.device))

    def __call__(self, network: nn.Module) -> Mapping[str, float]:
        """Measure ``network``, as in ``val_top1``."""
        metric = self.task.metric
        return {f"val_{metric}": self.task.measures(network, self.val, self.device)[metric]}
