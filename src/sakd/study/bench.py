"""The place where trainings run: validation images, store, device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import nn

from sakd.data import BatchStream, Prepared
from sakd.data.splits.restricted import restricted
from sakd.foundation.machine import provenance
from sakd.foundation.vocabulary import FAILED
from sakd.study.store import CellStore, Entry, Record
from sakd.study.trackers import Tracker
from sakd.study.trainings import Training


@dataclass(frozen=True)
class Bench:
    """The place where trainings run; it has validation images, never test images.

    Attributes:
        val: The validation images.
        store: The store of the results.
        device: The device to train on.
        graph: Whether a GPU repeats recorded steps.
        trackers: The trackers that receive every epoch.
    """

    val: Prepared
    store: CellStore
    device: torch.device
    graph: bool = False
    trackers: tuple[type[Tracker], ...] = ()

    def entry(self, training: Training) -> Entry:
        """Give the folder of ``training``."""
        return self.store.entry(training.group, training.id, training.key)

    def stream(self, training: Training, *others: Training) -> BatchStream:
        """Make the batches that ``training`` learns from, and ``others`` that see the same ones.

        They come with images set aside where one of these trainings has a policy for them.
        """
        aside = next((one.aside for one in (training, *others) if one.aside is not None), None)
        return BatchStream(
            training.images.to(self.device),
            mean=self.val.card.mean,
            std=self.val.card.std,
            batch_size=training.recipe.batch_size,
            seed=training.seed,
            augment=training.recipe.augment,
            device=self.device,
            aside=None if aside is None else aside.to(self.device),
            groups=training.groups,
        )

    def record(self, training: Training) -> Record:
        """Record what is known about ``training`` before its outcome."""
        made_with = provenance(str(self.device))
        return Record(training.id, training.key, FAILED, training.facts, provenance=made_with)

    def validate(self, training: Training, network: nn.Module) -> Mapping[str, float]:
        """Measure ``network``, of ``training``, by the metric of its task, as in ``val_top1``."""
        task = training.task
        measures = task.measures(network, self.val_of(training, self._val_there), self.device)
        return {f"val_{task.metric}": measures[task.metric]}

    def val_of(self, training: Training, val: Prepared | None = None) -> Prepared:
        """Take the validation images of the classes of ``training``; of ``val``, if given."""
        every = self.val if val is None else val
        partial = training.classes and training.classes != every.card.classes
        return restricted(every, training.classes) if partial else every

    @cached_property
    def _val_there(self) -> Prepared:
        """The validation images on the device, once for all trainings."""
        return replace(self.val, images=self.val.images.to(self.device))
