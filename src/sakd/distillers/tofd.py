"""Task-oriented feature distillation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sakd.data import Batch
from sakd.distillers.base import Distiller, Epoch, Pair, Pretraining, mean_over_batch
from sakd.distillers.parts.branches import Branch, Link, length
from sakd.distillers.parts.labels import label_losses
from sakd.foundation.errors import require, require_not_negative, require_positive
from sakd.networks.spots import SpotFamily


class TaskOriented(Distiller):
    """Match what classifiers of the inner stages see of an image, and what they answer.

    Zhang et al., NeurIPS 2020, "Task-Oriented Feature Distillation".
    Each stage but the last has a classifier in both networks, see `Branch`: v is the vector that
    its head takes, z the logits. Of the last stage v is the mean of the maps.
    Loss of stage j: mean_b [ CE(z_s, y) + H(softmax(z_t / T), softmax(z_s / T)) ]
    + 0.05 ||R v_s - v_t|| + 0.03 ( ||R R' - I|| + ||R' R - I|| ), without the first two terms for
    the last stage; H the cross-entropy, R a matrix of stage j, and norms are over all elements of
    the n chosen samples, times n / B. T rises from epoch to epoch, evenly, to 4 in the last one:
    the published 1 + 3/250 (epoch + 1) of 250 epochs. The student's classifiers learn by this loss;
    their batch norms see the full batch, whoever is chosen.
    Differs from the authors' code: there, the teacher's classifiers learn along with the teacher;
    here they learn beforehand, from the labels, and the teacher is frozen. The last stage's logits
    are compared by the KD that joins, with its temperature. The optimiser takes a step per batch;
    theirs takes one per epoch.
    """

    family = SpotFamily.EVERY_STAGE
    informed: Tensor
    temperature: Tensor

    def __init__(
        self,
        pair: Pair,
        *,
        feature: float = 0.05,
        orthogonal: float = 0.03,
        temperature: float = 4.0,
        pretrain_epochs: int = 30,
        pretrain_lr: float = 0.05,
    ) -> None:
        """Make the classifiers of both networks.

        Args:
            pair: The networks and the data.
            feature: Weight of the distance of the vectors.
            orthogonal: Weight of the distances of R from an orthogonal matrix.
            temperature: T in the last epoch.
            pretrain_epochs: Epochs of the training of the teacher's classifiers.
            pretrain_lr: Its learning rate.

        Raises:
            UserError: A value is out of range.
        """
        super().__init__(pair)
        require(temperature >= 1, f"temperature must be 1 or more, got {temperature}")
        require_positive(pretrain_lr=pretrain_lr)
        require_not_negative(
            feature=feature, orthogonal=orthogonal, pretrain_epochs=pretrain_epochs
        )
        ours, theirs = (
            [shape[0] for shape in shapes] for shapes in (pair.student_shapes, pair.teacher_shapes)
        )
        classes = int(pair.train_labels.max()) + 1
        self.links = nn.ModuleList(Link(ours[-1], theirs[-1]) for _ in ours)
        self.student_branches = branches(ours, classes)
        self.teacher_branches = branches(theirs, classes).requires_grad_(False)
        self.register_buffer("informed", torch.zeros((), dtype=torch.bool))
        self.register_buffer("temperature", torch.ones(()))
        self.hottest = temperature
        self.feature = feature
        self.orthogonal = orthogonal
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_lr = pretrain_lr

    def train(self, mode: bool = True) -> Self:
        """Switch to training mode; the teacher's classifiers stay in evaluation mode."""
        super().train(mode)
        self.teacher_branches.eval()
        return self

    def pretraining(self) -> Pretraining | None:
        """Have the teacher's classifiers trained on the labels."""
        if not self.teacher_branches:
            return None

        def label_loss(teachers: Sequence[Tensor], batch: Batch) -> Tensor:
            places = zip(self.teacher_branches, teachers[:-1], strict=True)
            losses = [label_losses(branch(maps)[1], batch) for branch, maps in places]
            return torch.stack(losses, dim=1).sum(dim=1).mean()

        return Pretraining(
            self.teacher_branches,
            label_loss,
            self.informed,
            epochs=self.pretrain_epochs,
            lr=self.pretrain_lr,
        )

    def begin_epoch(self, epoch: Epoch) -> None:
        """Raise the temperature."""
        self.temperature.fill_(1 + (self.hottest - 1) * (epoch.number + 1) / epoch.total)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        if spot == len(self.student_branches):
            return self.alikeness(spot, student.mean(dim=(2, 3)), teacher.mean(dim=(2, 3)), chosen)
        ours, answers = self.student_branches[spot](student)
        theirs, wanted = self.teacher_branches[spot](teacher)
        soft = (wanted / self.temperature).softmax(dim=1)
        errors = cross_entropy(answers / self.temperature, soft, reduction="none")
        errors = errors + label_losses(answers, batch)
        return mean_over_batch(errors, chosen) + self.alikeness(spot, ours, theirs, chosen)

    def alikeness(self, spot: int, student: Tensor, teacher: Tensor, chosen: Tensor) -> Tensor:
        """Compare vectors (B, C), and hold their matrix R to an orthogonal one."""
        linked, skew = self.links[spot](student)
        counted = chosen.to(student.dtype)
        missing = length((linked - teacher) * counted[:, None])
        return mean_over_batch(self.feature * missing + self.orthogonal * skew, counted)


def branches(widths: Sequence[int], classes: int) -> nn.ModuleList:
    """Make a classifier for each stage but the last of the ``widths``, those of all stages."""
    return nn.ModuleList(Branch(widths[stage:], classes) for stage in range(len(widths) - 1))
