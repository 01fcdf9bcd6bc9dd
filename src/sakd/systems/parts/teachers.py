"""Several trained teachers of one student, all asked about every batch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers import Side
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require, require_not_negative
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Settings, StepResult
from sakd.objectives.compatibility import Shapes, check_labels
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.learner import OneStudent

FEWEST = 2
"""Teachers that such a system needs at least."""


@dataclass(frozen=True, kw_only=True)
class TeachersSettings(Settings):
    """The settings of every system of several teachers.

    Attributes:
        ce_weight: The weight of the cross-entropy on the labels.
    """

    ce_weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a negative weight."""
        super().__post_init__()
        require_not_negative(ce_weight=self.ce_weight)


S = TypeVar("S", bound=TeachersSettings)


class FromTeachers(OneStudent[S]):
    """A student that learns from the labels and from several frozen teachers at once.

    Attributes:
        teachers: The teachers, in the order of the pair.
        shapes: The shapes of the student and of each teacher.
    """

    partner = Partner.TEACHERS
    frozen = ("teachers",)

    def __init__(self, situation: Situation, settings: S) -> None:
        """Take the student and the teachers of ``situation``.

        Raises:
            UserError: There are fewer than two teachers, or one has other classes.
        """
        shapes = shapes_of(situation)
        super().__init__(situation, settings)
        self.shapes = shapes
        teachers = (teacher.eval().requires_grad_(False) for teacher in situation.partners)
        self.teachers = nn.ModuleList(teachers)
        self.weights = {"cross_entropy": settings.ce_weight}

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of ``batch``; ``teacher`` is ignored, for there are several."""
        taught = [asked(network, batch) for network in self._teachers()]
        student = Outputs.of(self.student, batch.images, Side.STUDENT, unrectified=False)
        with without_casts(batch.images.device):
            terms = {"cross_entropy": self.task.loss(student.logits, batch)}
            terms |= self.knowledge(batch, student, taught)
            total = sum(w * terms[name] for name, w in self.weights.items() if name in terms)
        return StepResult(
            {"student": cast("Tensor", total)}, {name: x.detach() for name, x in terms.items()}
        )

    @abstractmethod
    def knowledge(
        self, batch: Batch, student: Outputs, taught: Sequence[Outputs]
    ) -> Mapping[str, Tensor]:
        """Compute the terms of the loss that need teachers, scalars, before their ``weights``.

        A term without a weight is for the log alone; a step may leave terms out.

        Args:
            batch: The images and their labels.
            student: The student's outputs.
            taught: The outputs of each teacher, without gradient.
        """

    def _teachers(self) -> list[StagedNetwork]:
        return cast("list[StagedNetwork]", list(self.teachers))


def shapes_of(situation: Situation) -> list[Shapes]:
    """Measure the student of ``situation`` beside each of its teachers.

    Raises:
        UserError: There are fewer than two teachers, or the classes of a network do not fit.
    """
    count = len(situation.partners)
    require(
        count >= FEWEST,
        f"a system of several teachers has {count}: name two or more, as in T1&T2/S",
    )
    student, data = situation.student, situation.data
    found = [Shapes.of(student, teacher, data.image_shape) for teacher in situation.partners]
    check_labels(data.train_labels, found[0])
    return found


@torch.no_grad()
def asked(teacher: StagedNetwork, batch: Batch) -> Outputs:
    """Run ``teacher`` on the images of ``batch``, without gradient."""
    return Outputs.of(teacher, batch.images, Side.TEACHER, unrectified=False)


def shares_shown(shares: Tensor) -> dict[str, Tensor]:
    """Name the mean over the batch of the ``shares`` (B, M) of each teacher, for the log."""
    means = enumerate(shares.mean(dim=0), start=1)
    return {f"teacher_share/{number}": mean for number, mean in means}
