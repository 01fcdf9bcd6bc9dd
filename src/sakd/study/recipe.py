"""The recipe by which a network is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch

from sakd.data import Augment
from sakd.foundation.errors import require
from sakd.foundation.keys import added, aside, facts_of
from sakd.objectives import Optimisation
from sakd.tasks import CLASSIFICATION, Task
from sakd.tasks.smoothing import Smoothed
from sakd.training import Precision


@dataclass(frozen=True)
class Recipe:
    """The recipe by which a network is trained; the defaults are those of arXiv:2205.02399.

    Attributes:
        epochs: Passes over the training images.
        batch_size: Images per step; the last batch of an epoch may be smaller.
        optimisation: How the parameters of the network are updated.
        augment: How the training images are varied.
        keep_epochs: Number of last epochs whose weights are kept, for ``test_top1_best``.
        checkpoint_seconds: Shortest time between two checkpoints, in seconds; longer where writing
            them would take more than 2 % of it. 0 writes one at the end of every epoch.
        checkpoint_steps: Steps of an epoch after which another one is written, whatever the time;
            0 for none.
        precision: ``fast`` takes all three of the following unless they are set themselves; what
            is trained is then the same within the noise of seeds, and not to the bit.
        autocast: Whether products and convolutions are in bfloat16.
        channels_last: Whether maps lie in memory with their channels together.
        tf32: Whether a GPU may round the factors of float32 products.
        compile: Whether `torch.compile` fuses operations. It is no part of ``fast``: it takes a
            minute or more before the first step, and needs a C++ compiler.
        label_smoothing: The share of the probability that labels leave to the other classes, to
            each of these alike; every label loss of the training counts by such labels.
        ema: The decay of a running average of the weights, from 0.9 to 0.9999 or so, which is kept
            and measured beside the network; 0 for none.
    """

    epochs: int = 240
    batch_size: int = 64
    optimisation: Optimisation = field(default_factory=Optimisation)
    augment: Augment = field(default_factory=Augment)
    keep_epochs: int = 30
    checkpoint_seconds: float = aside(60.0)
    checkpoint_steps: int = aside(0)
    precision: Literal["exact", "fast"] = added("exact")
    autocast: bool | None = added(None)
    channels_last: bool | None = added(None)
    tf32: bool | None = added(None)
    compile: bool = added(False)
    label_smoothing: float = added(0.0)
    ema: float = added(0.0)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """All that determines a training by it, as plain JSON; the cells of a row share it."""
        found: dict[str, Any] = facts_of(self)
        return found

    @property
    def arithmetic(self) -> Precision:
        """The precision and its parts, put together."""
        fast = self.precision == "fast"
        half = fast if self.autocast is None else self.autocast
        last = fast if self.channels_last is None else self.channels_last
        rounded = fast if self.tf32 is None else self.tf32
        return Precision(
            torch.bfloat16 if half else None,
            channels_last=last,
            tf32=rounded,
            compiled=self.compile,
        )

    @property
    def task(self) -> Task:
        """The task that the labels set, as they are smoothed."""
        return Smoothed(self.label_smoothing) if self.label_smoothing else CLASSIFICATION

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        for name in ("label_smoothing", "ema"):
            value = getattr(self, name)
            require(0 <= value < 1, f"{name} must be from 0 to below 1, got {value}")
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            require(value >= 1, f"{name} must be 1 or more, got {value}")
        for name in ("keep_epochs", "checkpoint_seconds", "checkpoint_steps"):
            value = getattr(self, name)
            require(value >= 0, f"{name} must be 0 or more, got {value}")
        warm = self.optimisation.warmup_epochs
        found = f"optimisation.warmup_epochs {warm:g} is beyond the {self.epochs} epochs"
        require(warm <= self.epochs, f"{found}: shorten it")


@dataclass(frozen=True)
class VariantRecipe(Recipe):
    """The recipe by which a variant of a teacher is trained.

    Attributes:
        label_noise: Share of the training images that get a wrong label, for this teacher alone;
            see `sakd.data.splits.mislabelling`.
        seed: What is added to ``teacher_seed``: by another seed the same recipe gives another
            teacher.
        classes: The classes that it learns and tells apart, by their names or as ``first..last`` in
            the order of the data; none for all.
    """

    label_noise: float = aside(0.0)  # counted with the images, see `Lessons.facts`
    seed: int = aside(0)  # counted with the seed of the teacher
    classes: tuple[str | int, ...] = aside(())  # counted with the images

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        super().__post_init__()
        fine = 0 <= self.label_noise < 1
        require(fine, f"label_noise must be from 0 to below 1, got {self.label_noise}")
        require(self.seed >= 0, f"seed must be 0 or more, got {self.seed}")
