"""Knowledge distillation of the logits."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.logits import divergence, require_effect, standardised
from sakd.foundation.errors import require_positive
from sakd.networks.spots import SpotFamily


class KD(Distiller):
    """Match the teacher's softened class probabilities.

    Hinton et al., 2015, arXiv:1503.02531.
    Loss: T^2 / B * sum_b KL(softmax(z_t / T) || softmax(z_s / T)), T = 4.
    With ``standardise`` the logits z are z-scores (Sun et al., CVPR 2024, arXiv:2403.01427), see
    `standardised`, which leaves the student its own scale of logits; the paper takes T = 2 and
    weight 9.
    """

    family = SpotFamily.LOGITS
    weighs = True

    def __init__(self, pair: Pair, *, temperature: float = 4.0, standardise: bool = False) -> None:
        """Set the temperature.

        Args:
            pair: The networks and the data.
            temperature: T.
            standardise: Whether to compare z-scores of the logits.

        Raises:
            UserError: The temperature is not positive, or there are two classes to standardise.
        """
        super().__init__(pair)
        require_positive(temperature=temperature)
        remedy = "set standardise to false"
        require_effect(pair, f"standardise {standardise}", asked=standardise, remedy=remedy)
        self.temperature = temperature
        self.standardise = standardise

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are logits (B, K)."""
        if self.standardise:
            student, teacher = standardised(student), standardised(teacher)
        student, teacher = student / self.temperature, teacher / self.temperature
        return mean_over_batch(self.temperature**2 * self.error(student, teacher, batch), chosen)

    def error(self, student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """Compute the error per sample (B,) of logits (B, K) already divided by T."""
        return divergence(log_softmax(student, dim=1), log_softmax(teacher, dim=1))
