"""The interface of distillers: compare features at spots, for the chosen samples only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import ClassVar

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.phases import PhasePlan
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


class Sensitivity(Enum):
    """A gradient within a network, of which a distiller compares the student's and the teacher's.

    Attributes:
        IMAGES: That of the label's logit by the images (B, C, H, W).
        EMBEDDING: That of the label loss by the embedding (B, C).
    """

    IMAGES = "images"
    EMBEDDING = "embedding"


@dataclass(frozen=True)
class Pair:
    """The networks and the data, as far as a distiller may know them.

    Attributes:
        spots: The spots of this distiller, in order of depth.
        student_shapes: The student's feature shape at each spot without the batch axis; (K,) at
            the logits.
        teacher_shapes: The teacher's feature shapes likewise.
        train_labels: Labels (N,) of the training images; ``Batch.index`` points into them.
    """

    spots: tuple[Spot, ...]
    student_shapes: tuple[Shape, ...]
    teacher_shapes: tuple[Shape, ...]
    train_labels: Tensor


@dataclass(frozen=True)
class Pretraining:
    """A training of a part of a distiller, with the teacher alone, before the student's.

    Attributes:
        module: The part, a submodule of the distiller. Outside this training its parameters
            require no gradient.
        loss: Maps the teacher's features (B, ...), one per spot, and the batch behind them, with
            its labels, to a scalar.
        done: A buffer () bool of the distiller, part of checkpoints; set when the training ends.
        epochs: Passes over the training images.
        lr: Learning rate of SGD, constant.
        momentum: Momentum of SGD.
        weight_decay: Weight decay of SGD.
    """

    module: nn.Module
    loss: Callable[[Sequence[Tensor], Batch], Tensor]
    done: Tensor
    epochs: int
    lr: float
    momentum: float = 0.9
    weight_decay: float = 5e-4


@dataclass(frozen=True)
class Epoch:
    """An epoch that is about to begin, as far as a distiller may look at it.

    Attributes:
        number: Its number, counted from 0.
        total: The number of epochs of the training.
        features: Runs both networks on the batches of this epoch, in evaluation mode and without
            gradient. It gives the features of student and teacher, batch by batch, each a list
            as in `Distiller.losses`. Nothing is computed before it is called.
    """

    number: int
    total: int
    features: Callable[[], Iterator[tuple[Sequence[Tensor], Sequence[Tensor]]]]


class Distiller(nn.Module, ABC):
    """A loss between a student's features and its teacher's.

    Attributes:
        family: Where the distiller compares.
        weight: Default beta in total = CE + alpha KD + beta L.
        gamma: Default factor of the routing loss of spot-adaptive distillation, as in the
            CIFAR-100 configurations of arXiv:2205.02399.
        equal_channels: Whether both features of a spot must have equally many channels.
        any_shape: Whether tokens (B, N, C) and vectors (B, C) are accepted where the family has
            maps (B, C, H, W).
        weighs: Whether a sample may count by any share of 0 or more, and not only fully or not at
            all. So it may where a loss is a mean over samples.
        unrectified: The networks whose features are taken before their rectifier, see
            `StagedNetwork.extract_unrectified`.
        sensitivity: The gradient that is compared at every spot, in place of features.
        stands_alone: Whether KD and other distillers are left out, and cross-entropy too, except
            where `phases` have it.
        rebuilding: How to rebuild the student before it is trained; None leaves it as it is.
        objective: The name of the objective that alone can train it; None for any that distils at
            spots.
    """

    family: ClassVar[SpotFamily]
    weight: ClassVar[float] = 1.0
    gamma: ClassVar[float] = 1.0
    equal_channels: ClassVar[bool] = False
    any_shape: ClassVar[bool] = False
    weighs: ClassVar[bool] = False
    unrectified: ClassVar[Side] = Side.NEITHER
    sensitivity: ClassVar[Sensitivity | None] = None
    stands_alone: ClassVar[bool] = False
    rebuilding: ClassVar[Rebuilding | None] = None
    objective: ClassVar[str | None] = None

    def __init__(self, pair: Pair) -> None:
        """Prepare for ``pair``.

        Modules made here are trained with the student, unless their parameters require no
        gradient.

        Args:
            pair: The networks and the data.

        Raises:
            UserError: The features of a spot cannot be compared.
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
        """Name what must be trained before the student; None for most distillers."""
        return None

    def phases(self, depth: int) -> tuple[PhasePlan, ...]:
        """Divide the training of a student with ``depth`` features; most distillers do not.

        One that does stands alone, and is trained by the ``objective`` ``phased``. Each phase has
        a distiller of its own, made for the spots of the phase.
        """
        return ()

    def begin_epoch(self, epoch: Epoch) -> None:
        """Prepare for ``epoch``; called before each epoch, and most distillers do nothing.

        What a step reads of it must lie in registered buffers that are filled in place: so it is
        part of checkpoints, and a recorded step reads the present value.

        Args:
            epoch: The epoch that is about to begin.
        """

    def losses(
        self, students: Sequence[Tensor], teachers: Sequence[Tensor], batch: Batch, chosen: Tensor
    ) -> Tensor:
        """Sum `loss` over all spots; a distiller that relates spots overrides this.

        Args:
            students: The student's features (B, ...), one per spot of ``pair.spots``.
            teachers: The teacher's features likewise.
            batch: The batch behind the features.
            chosen: (B, spots), a column per spot, see `loss`.

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
        """Compute (number chosen / B) times the paper's loss over the chosen samples.

        Shapes are static: no indexing by mask, no branch on data. With no sample chosen the value
        and every gradient are exactly 0.

        Args:
            spot: Position in ``pair.spots``.
            student: The student's features (B, ...) at that spot.
            teacher: The teacher's features (B, ...), detached unless the teacher is trained too.
            batch: The images, labels and training-set positions behind the features.
            chosen: (B,) bool; for a distiller that `weighs` also floats of 0 or more without
                gradient: sample b then counts ``chosen[b]`` times.

        Returns:
            A scalar.
        """


def mean_over_batch(per_sample: Tensor, chosen: Tensor) -> Tensor:
    """Compute (number chosen / B) times the mean of ``per_sample`` (B,) over ``chosen`` (B,).

    With shares instead of a choice it is the sum of share times loss, over B.
    """
    return (per_sample * chosen.to(per_sample.dtype)).sum() / chosen.numel()
