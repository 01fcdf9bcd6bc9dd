"""Category structure of maps."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.categories import class_averages, correct_averages, structure_error
from sakd.distillers.parts.maps import pool_to_smaller, projection
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
    With ``filtered``, the means mu that samples lie around are over those that the network itself
    classifies correctly; a sample whose class has none lies at its own place. The logits tell which
    they are, and are not compared.
    `sakd.distillers.category_logits` has the same of the logits, and the authors use both,
    category-category_logits, with 0.9 of the cross-entropy and no KD.
    Differs from the authors' code: the convolution, which is made there and never applied; maps of
    unequal size are averaged to the smaller.
    """

    family = SpotFamily.LAST_MAP_AND_LOGITS

    def __init__(
        self, pair: Pair, *, intra: float = 0.002, inter: float = 0.04, filtered: bool = False
    ) -> None:
        """Make the convolution; the default weights are those of the authors' code.

        Args:
            pair: The networks and the data.
            intra: Weight of the differences between samples and their classes.
            inter: Weight of the angles between classes.
            filtered: Whether wrong predictions are left out of the means of classes, ``use_filter``
                in the authors' code.

        Raises:
            UserError: A weight is negative.
        """
        super().__init__(pair)
        require_not_negative(intra=intra, inter=inter)
        self.projection = projection(pair.student_shapes[0][0], pair.teacher_shapes[0][0])
        self.intra = intra
        self.inter = inter
        self.filtered = filtered

    def losses(
        self, students: Sequence[Tensor], teachers: Sequence[Tensor], batch: Batch, chosen: Tensor
    ) -> Tensor:
        """Compare maps (B, C, H, W) where they are chosen at their spot, see `Distiller.losses`."""
        at_maps, labels = chosen[:, 0], batch.leading_labels
        around = None
        if self.filtered:
            right = ((logits.argmax(dim=1) == labels) for logits in (students[1], teachers[1]))
            around = [correct_averages(labels, at_maps, x, students[0].dtype) for x in right]
        return self.error(students[0], teachers[0], batch, at_maps, around)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; maps (B, C, H, W) without logits, so that none is filtered out."""
        return self.error(student, teacher, batch, chosen)

    def error(
        self,
        student: Tensor,
        teacher: Tensor,
        batch: Batch,
        chosen: Tensor,
        around: Sequence[Tensor] | None = None,
    ) -> Tensor:
        """Compute the loss of maps (B, C, H, W); for ``around`` see `structure_error`."""
        student, teacher = pool_to_smaller(student, teacher)
        averages = class_averages(batch.leading_labels, chosen, student.dtype)
        ours = self.projection(student)
        error = structure_error(ours, teacher, averages, self.intra, self.inter, around)
        return mean_over_batch(error, chosen)
