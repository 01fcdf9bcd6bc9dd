"""What a distiller is: knowledge, compared at spots, for the samples that were chosen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from typing import ClassVar

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.errors import require
from sakd.networks.rebuilt import Rebuilding
from sakd.networks.spots import Spot, SpotFamily

Shape = tuple[int, ...]


class Side(Flag):
    """The student, the teacher, or both."""

    NEITHER = 0
    STUDENT = auto()
    TEACHER = auto()
    BOTH = STUDENT | TEACHER


@dataclass(frozen=True)
class Pair:
    """All that a distiller may know of the two networks and the data.

    Attributes:
        spots: where this distiller compares, in order of depth.
        student_shapes: the student's feature shape at each spot, batch axis left out.
        teacher_shapes: the teacher's.
        train_labels: labels (N,) of the training images; ``Batch.index`` points into them.
    """

    spots: tuple[Spot, ...]
    student_shapes: tuple[Shape, ...]
    teacher_shapes: tuple[Shape, ...]
    train_labels: Tensor


@dataclass(frozen=True)
class Pretraining:
    """What a distiller trains with the teacher alone, before the student; frozen afterwards.

    Attributes:
        module: to be trained; a submodule of the distiller, whose parameters want no gradient.
        loss: scalar, from the teacher's features (B, ...), one per spot.
        done: whether that has happened: () bool, a buffer of the distiller, so that checkpoints
            know; set when the training ends.
        epochs: passes over the training images.
        lr: learning rate of SGD, constant.
        momentum: of SGD.
        weight_decay: of SGD.
    """

    module: nn.Module
    loss: Callable[[Sequence[Tensor]], Tensor]
    done: Tensor
    epochs: int
    lr: float
    momentum: float = 0.9
    weight_decay: float = 5e-4


class Distiller(nn.Module, ABC):
    """Compares a student's features with its teacher's.

    Class attributes are the published settings: ``family`` says where the distiller looks,
    ``weight`` is the beta of total = CE + alpha KD + beta L, and ``gamma`` scales the routing
    loss of spot-adaptive distillation (CIFAR-100 configuration of arXiv:2205.02399).
    ``equal_channels`` says that both features of a spot must have as many channels, and
    ``any_shape`` that tokens and vectors will do where the family has maps. ``unrectified`` names
    the side whose features are shown before their rectifier, see
    `StagedNetwork.extract_unrectified`.
    ``stands_alone`` says that neither cross-entropy nor KD nor another distiller goes with it, and
    ``rebuilding`` what the student is made into before it is trained; None leaves it as it is.
    """

    family: ClassVar[SpotFamily]
    weight: ClassVar[float] = 1.0
    gamma: ClassVar[float] = 1.0
    equal_channels: ClassVar[bool] = False
    any_shape: ClassVar[bool] = False
    unrectified: ClassVar[Side] = Side.NEITHER
    stands_alone: ClassVar[bool] = False
    rebuilding: ClassVar[Rebuilding | None] = None

    def __init__(self, pair: Pair) -> None:
        """Prepare for ``pair``.

        Modules made here are trained together with the student, unless their parameters want no
        gradient.

        Raises:
            UserError: the features of a spot cannot be compared.
        """
        super().__init__()
        self.pair = pair
        for student, teacher in zip(pair.student_shapes, pair.teacher_shapes, strict=True):
            fine = not self.equal_channels or student[0] == teacher[0]
            name = type(self).__name__
            require(
                fine,
                f"{name} compares channel by channel, but the student's features are "
                f"{student} and the teacher's {teacher}: take networks of equal widths",
            )

    def pretraining(self) -> Pretraining | None:
        """What is to be trained before the student; most distillers need nothing."""
        return None

    def losses(
        self, students: Sequence[Tensor], teachers: Sequence[Tensor], batch: Batch, chosen: Tensor
    ) -> Tensor:
        """The sum of `loss` over all spots; a distiller that relates spots overrides it.

        Args:
            students: the student's features (B, ...), one per spot of ``pair.spots``.
            teachers: the teacher's.
            batch: see `loss`.
            chosen: (B, spots) bool, a column per spot.

        Returns:
            A scalar.
        """
        nothing = chosen.new_zeros((), dtype=torch.float)
        places = enumerate(zip(students, teachers, chosen.unbind(dim=1), strict=True))
        return sum((self.loss(k, s, t, batch, column) for k, (s, t, column) in places), nothing)

    @abstractmethod
    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """(number chosen / B) times the paper's loss over the chosen samples only.

        Shapes are static: no indexing by mask, no branch on data. With nobody chosen the value
        is exactly 0 and so is every gradient.

        Args:
            spot: position in ``pair.spots``.
            student: features (B, ...) of the student at that spot.
            teacher: features (B, ...) of the teacher, detached unless it is trained too.
            batch: the images, labels and training-set positions behind the features.
            chosen: (B,) bool.

        Returns:
            A scalar.
        """


def mean_over_batch(per_sample: Tensor, chosen: Tensor) -> Tensor:
    """(number chosen / B) times the mean over the chosen of ``per_sample`` (B,)."""
    return (per_sample * chosen.to(per_sample.dtype)).sum() / chosen.numel()
