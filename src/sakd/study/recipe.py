"""The recipe by which a network is trained."""

from __future__ import annotations

from dataclasses import dataclass, field

from sakd.data import Augment
from sakd.foundation.errors import require
from sakd.foundation.keys import aside
from sakd.objectives import Optimisation


@dataclass(frozen=True)
class Recipe:
    """The recipe by which a network is trained; the defaults are those of arXiv:2205.02399.

    Attributes:
        epochs: Passes over the training images.
        batch_size: Images per step; the last batch of an epoch may be smaller.
        optimisation: How the parameters of the network are updated.
        augment: How the training images are varied.
        keep_epochs: Number of last epochs whose weights are kept, for ``test_top1_best``.
        checkpoint_seconds: Shortest time between two checkpoints, in seconds.
    """

    epochs: int = 240
    batch_size: int = 64
    optimisation: Optimisation = field(default_factory=Optimisation)
    augment: Augment = field(default_factory=Augment)
    keep_epochs: int = 30
    checkpoint_seconds: float = aside(60.0)

    def __post_init__(self) -> None:
        """Refuse values that cannot train."""
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            require(value >= 1, f"{name} must be 1 or more, got {value}")
        require(self.keep_epochs >= 0, f"keep_epochs must not be negative: {self.keep_epochs}")
