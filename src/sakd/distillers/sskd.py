"""Stage by stage knowledge distillation."""

from __future__ import annotations

from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller, sample_means, squared
from sakd.distillers.phases import PhasePlan
from sakd.foundation.errors import require
from sakd.networks.spots import SpotFamily


class StagewiseDistillation(Distiller):
    """Train one stage of the student after the other by the teacher's, and then its head by labels.

    Gao et al., 2019, arXiv:1812.01819, as described there, not checked against the authors' code.
    Loss of a stage: mean_b || r(F_s) - F_t ||^2 / (C H W), r a 1x1 convolution, the larger map
    averaged to the size of the smaller. It trains that stage alone (the first one with the stem),
    those before it are frozen. The last phase trains by cross-entropy what is left, the backbone
    frozen. No loss has a weight, and there is no KD.
    Ours, as the description leaves it open: stages that are not trained are in evaluation mode; the
    shares of the epochs; a learning rate that falls within each phase. Policies choose in the
    phases of the stages, each with a router of its own, and see a student whose later stages are
    not trained yet.
    """

    family = SpotFamily.EVERY_STAGE
    weighs = True
    stands_alone = True
    objective = "phased"

    def __init__(self, pair: Pair, *, head_share: float = 0.25) -> None:
        """Make a convolution for each stage.

        Args:
            pair: The networks and the data.
            head_share: The share of the epochs that trains the head; the stages have equal shares
                of the rest.

        Raises:
            UserError: The share is out of range.
        """
        super().__init__(pair)
        require(0 < head_share < 1, f"head_share must be between 0 and 1, got {head_share}")
        self.head_share = head_share
        channels = [shape[0] for shape in pair.student_shapes]
        goals = [shape[0] for shape in pair.teacher_shapes]
        convolutions = (nn.Conv2d(*both, 1) for both in zip(channels, goals, strict=True))
        self.regressors = nn.ModuleList(convolutions)

    def phases(self, depth: int) -> tuple[PhasePlan, ...]:
        """Plan a phase for each stage, and one for the head."""
        spots = self.pair.spots
        ends = [spot.student + 1 for spot in spots]
        parts = [range(*ends) for ends in zip([0, *ends], [*ends, depth + 1], strict=True)]
        share = (1 - self.head_share) / len(spots)
        stages = [
            PhasePlan(f"stage{number}", share, (spot,), part, labels=False)
            for number, (spot, part) in enumerate(zip(spots, parts, strict=False), start=1)
        ]
        return (*stages, PhasePlan("head", self.head_share, stages=parts[-1]))

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W)."""
        ours, theirs = pool_to_smaller(self.regressors[spot](student), teacher)
        return mean_over_batch(sample_means(squared(ours - theirs)), chosen)
