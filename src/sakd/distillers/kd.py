"""Knowledge distillation of the logits."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import kl_div, log_softmax

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.networks.spots import SpotFamily


class KD(Distiller):
    """Match the teacher's softened class probabilities.

    Hinton et al., 2015, arXiv:1503.02531, section 2.
    Loss: T^2 / B * sum_b KL(softmax(z_t / T) || softmax(z_s / T)), T = 4.
    """

    family = SpotFamily.LOGITS

    def __init__(self, pair: Pair, *, temperature: float = 4.0) -> None:
        """Soften with ``temperature`` (T above)."""
        super().__init__(pair)
        self.temperature = temperature

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; ``student`` and ``teacher`` are logits (B, K)."""
        student = log_softmax(student / self.temperature, dim=1)
        teacher = log_softmax(teacher / self.temperature, dim=1)
        divergence = kl_div(student, teacher, reduction="none", log_target=True).sum(dim=1)
        return mean_over_batch(self.temperature**2 * divergence, chosen)
