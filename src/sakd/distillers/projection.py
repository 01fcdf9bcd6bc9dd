"""Knowledge projection."""

from __future__ import annotations

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.maps import sample_means, squared
from sakd.distillers.phases import PhasePlan
from sakd.foundation.errors import require
from sakd.networks.adapters import adapter
from sakd.networks.spots import SpotFamily


class KnowledgeProjection(Distiller):
    """Project the teacher's middle map to the student's for a time, and then leave the teacher out.

    As described in Zhi et al., 2017, arXiv:1710.09505, not checked against the paper or any code.
    Loss of the first phase: cross-entropy + mean_b || F_s - p(F_t) ||^2 / (C H W), p a convolution,
    batch norm and rectifier (a linear layer for tokens and vectors, see `sakd.networks.adapters`),
    which is trained with the student. The batch norm sees the full batch, whoever is chosen. The
    second phase has cross-entropy alone.
    Differs from the description: no search over places; the hint of FitNet is the only one.
    """

    family = SpotFamily.HINT
    weighs = True
    any_shape = True
    stands_alone = True
    objective = "phased"

    def __init__(self, pair: Pair, *, share: float = 0.5) -> None:
        """Make the projection from the teacher's to the student's shape.

        Args:
            pair: The networks and the data.
            share: The share of the epochs that has the projection.

        Raises:
            UserError: The share is out of range.
        """
        super().__init__(pair)
        require(0 < share < 1, f"share must be between 0 and 1, got {share}")
        self.share = share
        self.projection = adapter(pair.teacher_shapes[0], pair.student_shapes[0])

    def phases(self, depth: int) -> tuple[PhasePlan, ...]:
        """Plan a phase with the teacher, and one without."""
        return (
            PhasePlan("projection", self.share, self.pair.spots),
            PhasePlan("labels", 1 - self.share),
        )

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W), tokens (B, N, C) or (B, C)."""
        error = sample_means(squared(student - self.projection(teacher)))
        return mean_over_batch(error, chosen)
