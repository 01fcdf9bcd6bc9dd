"""Learning without images from where student and teacher differ most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import require
from sakd.objectives import Outputs, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Situation
from sakd.systems.data_free import DataFree, GeneratorSettings
from sakd.systems.parts.generator import Generator


@dataclass(frozen=True, kw_only=True)
class DFADSettings(GeneratorSettings):
    """The settings of `DFAD`; the defaults are those of its authors' code.

    Attributes:
        student_steps: Steps of the student before each step of the generator.
    """

    latent: int = 256
    generator_lr: float = 1e-3
    student_steps: int = 5

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        super().__post_init__()
        fine = self.student_steps >= 1
        require(fine, f"student_steps must be 1 or more, got {self.student_steps}")


class DFAD(DataFree[DFADSettings]):
    """Data-free adversarial distillation (Fang et al., 2019, arXiv:1912.11006).

    The student minimises mean |z_s - z_t| over samples and classes, on images that are given; the
    generator maximises it. They take turns: ``student_steps`` of the one, each on new images, and
    one of the other, in which the batch norms of the student count their inputs as well. As in the
    authors' code the learning rate of the generator falls at 1/5 and 2/5 of the epochs.
    """

    uniform = False
    settings = DFADSettings
    falls = (0.2, 0.4)

    @classmethod
    def of(cls, situation: Situation, settings: DFADSettings) -> Self:
        """Train the student of ``situation`` with a fresh generator."""
        (teacher,) = situation.partners
        generator = Generator(settings.latent, situation.data.image_shape)
        return cls(situation.student, teacher, generator, settings)

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Find the place in the turns."""
        self.before = epoch * len(stream)

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of the player whose turn it is; ``teacher`` is ignored."""
        turn = (self.before + batch.step) % (self.given.student_steps + 1)
        learns = turn < self.given.student_steps
        with torch.set_grad_enabled(not learns):
            images = self.generator(self.noise(batch))
            expected = self.teacher(images)
        own, expected = full_precision([self.student(images), expected])
        apart = (own - expected).abs().mean()
        if learns:
            return StepResult({"student": apart}, {"distance": apart.detach()})
        return StepResult({"generator": -apart}, {"distance_sought": apart.detach()})
