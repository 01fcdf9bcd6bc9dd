"""Shared base of systems that learn without images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.foundation.errors import require, require_positive
from sakd.networks import StagedNetwork
from sakd.objectives import Player, Settings
from sakd.objectives.adam import AdamOptimisation
from sakd.systems.base import Partner, System
from sakd.systems.parts.generator import Generator


@dataclass(frozen=True, kw_only=True)
class GeneratorSettings(Settings):
    """The settings of a system that learns from images that it makes itself.

    Attributes:
        latent: Numbers of noise for an image.
        generator_lr: The learning rate of the generator, by Adam.
    """

    latent: int
    generator_lr: float

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        require(self.latent >= 1, f"latent must be 1 or more, got {self.latent}")
        require_positive(generator_lr=self.generator_lr)


S = TypeVar("S", bound=GeneratorSettings)


class DataFree(System[S]):
    """A student, a frozen teacher, and a generator of the images that both are shown.

    The images and labels of a batch are not looked at: only their number counts, and the device
    that they are on. Validation images are real, so the weights that are best on them are no
    result without data; those of the last epoch are.

    Attributes:
        falls: When the learning rate of the generator falls to a tenth, as parts of the epochs.
    """

    partner = Partner.TEACHER
    images = False
    frozen = ("teacher",)
    falls: tuple[float, ...] = ()

    def __init__(
        self, student: StagedNetwork, teacher: StagedNetwork, generator: Generator, settings: S
    ) -> None:
        """Train ``student`` on what ``generator`` makes and ``teacher`` says of it."""
        super().__init__()
        self.student = student
        self.teacher = teacher.requires_grad_(False)
        self.generator = generator
        self.given = settings

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    def players(self) -> dict[str, Player]:
        """Name two players: the student, and the generator."""
        recipe = AdamOptimisation(lr=self.given.generator_lr, milestones=self.falls)
        return {
            "student": Player.of(self.student),
            "generator": Player(list(self.generator.parameters()), recipe),
        }

    def noise(self, batch: Batch) -> Tensor:
        """Draw the noise (B, latent) of as many images as ``batch`` has."""
        device = batch.labels.device
        source = batch.draws("latent")
        size = (len(batch.labels), self.given.latent)
        return torch.randn(size, generator=source, device=device)
