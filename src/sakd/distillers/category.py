"""Category structure."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller, projection, squared
from sakd.foundation.errors import require_not_negative
from sakd.networks.spots import SpotFamily


class CategoryStructure(Distiller):
    """Match how samples lie around the means of their classes, and these to each other, in maps.

    Chen et al., ECCV 2020, "Improving Knowledge Distillation via Category Structure", in the form
    of the authors' code. The loss of a sample depends on the others.
    Loss over the chosen samples, n, and their classes, C: mean_n of intra
    || (f_s - mu_s) - (f_t - mu_t) ||^2 / D^2 + mean_{C^2} of inter / C (cos_s - cos_t)^2,
    f the D values of the last map, mu its mean over the class, cos between the means of two
    classes. Where channels differ, a 1x1 convolution maps the student's to the teacher's. A mixed
    image counts by the label with the larger share.
    `CategoryLogits` has the same of the logits, and the authors use both: category-category_logits,
    with 0.9 of the cross-entropy and no KD.
    Differs from the authors' code: its convolutions are never used; maps of unequal size are
    averaged to the smaller; no means over the correctly classified samples alone, an option there.
    """

    family = SpotFamily.LAST_MAP

    def __init__(self, pair: Pair, *, intra: float = 0.002, inter: float = 0.04) -> None:
        """Make the convolution; the default weights are those of the authors' code.

        Args:
            pair: The networks and the data.
            intra: Weight of the differences between samples and their classes.
            inter: Weight of the angles between classes.

        Raises:
            UserError: A weight is negative.
        """
        super().__init__(pair)
        require_not_negative(intra=intra, inter=inter)
        self.projection = projection(pair.student_shapes[0][0], pair.teacher_shapes[0][0])
        self.intra = intra
        self.inter = inter

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        student, teacher = pool_to_smaller(student, teacher)
        averages = class_averages(batch.leading_labels, chosen, student.dtype)
        ours = self.projection(student)
        error = structure_error(ours, teacher, averages, self.intra, self.inter)
        return mean_over_batch(error, chosen)


class CategoryLogits(Distiller):
    """Match how samples lie around the means of their classes, and these to each other, in logits.

    Chen et al., ECCV 2020, "Improving Knowledge Distillation via Category Structure", in the form
    of the authors' code. The loss of a sample depends on the others.
    Loss: that of `CategoryStructure` with logits z for maps, + compactness
    mean_n || z_s - mu_s ||^2 / K. The student's logits thus gather around the means of their
    classes, even where its teacher's do not.
    It takes the place of KD, which is left out.
    """

    family = SpotFamily.LOGITS

    def __init__(
        self, pair: Pair, *, intra: float = 0.002, inter: float = 0.04, compactness: float = 0.1
    ) -> None:
        """Set the weights; the defaults are those of the authors' code.

        Args:
            pair: The networks and the data.
            intra: Weight of the differences between samples and their classes.
            inter: Weight of the angles between classes.
            compactness: Weight of the student's distances from the means.

        Raises:
            UserError: A weight is negative.
        """
        super().__init__(pair)
        require_not_negative(intra=intra, inter=inter, compactness=compactness)
        self.intra = intra
        self.inter = inter
        self.compactness = compactness

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are logits (B, K)."""
        averages = class_averages(batch.leading_labels, chosen, student.dtype)
        error = structure_error(student, teacher, averages, self.intra, self.inter)
        spread = squared(student - averages @ student).mean(dim=1)
        return mean_over_batch(error + self.compactness * spread, chosen)


def class_averages(labels: Tensor, chosen: Tensor, dtype: torch.dtype) -> Tensor:
    """Make the matrix (B, B) that takes samples to the means of the chosen of their class.

    Its rows and columns of other samples are 0. On its diagonal is 1 over the size of the class.
    """
    same = ((labels[:, None] == labels) & chosen[:, None] & chosen).to(dtype)
    return same / same.sum(dim=1, keepdim=True).clamp(min=1)


def structure_error(
    student: Tensor, teacher: Tensor, averages: Tensor, intra: float, inter: float
) -> Tensor:
    """Compute the error (B,) of features (B, ...), whose mean over the chosen samples is the loss.

    Args:
        student: The student's features.
        teacher: The teacher's, of the same shape.
        averages: (B, B), see `class_averages`.
        intra: Weight of the differences between samples and their classes.
        inter: Weight of the angles between classes.
    """
    ours, theirs = student.flatten(1), teacher.flatten(1)
    shift = ours - theirs
    within = squared(shift - averages @ shift).sum(dim=1) / shift.shape[1] ** 2
    difference = cosines(averages @ ours) - cosines(averages @ theirs)
    share = averages.diagonal()  # so that the samples of a class count as one
    between = share @ squared(difference) @ share / share.sum().clamp(min=1) ** 3
    return intra * within + inter * between


def cosines(rows: Tensor) -> Tensor:
    """Compute the cosines (B, B) of the angles between rows (B, D)."""
    units = normalize(rows)
    return units @ units.T
