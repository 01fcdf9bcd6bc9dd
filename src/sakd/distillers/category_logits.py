"""Category structure of logits."""

from __future__ import annotations

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.categories import class_averages, structure_error
from sakd.distillers.parts.maps import squared
from sakd.foundation.errors import require_not_negative
from sakd.networks.spots import SpotFamily


class CategoryLogits(Distiller):
    """Match how samples lie around the means of their classes, and these to each other, in logits.

    Chen et al., ECCV 2020, "Improving Knowledge Distillation via Category Structure", in the form
    of the authors' code. The loss of a sample depends on the others.
    Loss: that of `sakd.distillers.category` with logits z for maps, + compactness
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
