"""Knowledge adjustment."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.data import Batch
from sakd.distillers.base import Pair
from sakd.distillers.kd import KD
from sakd.distillers.parts.labels import corrected, shifted
from sakd.distillers.parts.logits import divergence
from sakd.foundation.errors import require


class KnowledgeAdjustment(KD):
    """Match the teacher's probabilities, put right where the teacher is wrong.

    Wen et al., 2019, arXiv:1911.07471, "Preparing Lessons".
    Loss: T^2 / B * sum_b KL(q || softmax(z_s / T)), q = softmax(z_t / T), with its largest value
    and that of the label exchanged. With ``smooth``, q is 1 - epsilon on the label and
    epsilon / (K - 1) elsewhere, where the teacher is wrong. A mixed image counts by the label
    with the larger share.
    It takes the place of KD, which is left out.
    """

    def __init__(
        self, pair: Pair, *, temperature: float = 4.0, smooth: bool = False, epsilon: float = 0.1
    ) -> None:
        """Set the temperature and the way of adjustment.

        Args:
            pair: The networks and the data.
            temperature: T.
            smooth: Whether wrong predictions are replaced by smoothed labels.
            epsilon: The share of the other classes in these.

        Raises:
            UserError: A value is out of range.
        """
        super().__init__(pair, temperature=temperature)
        require(0 < epsilon < 1, f"epsilon must be between 0 and 1, got {epsilon}")
        self.smooth = smooth
        self.epsilon = epsilon

    def error(self, student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """See `KD.error`."""
        return divergence(log_softmax(student, dim=1), self.target(teacher, batch))

    def target(self, teacher: Tensor, batch: Batch) -> Tensor:
        """Compute log q (B, K) of the teacher's logits (B, K) already divided by T."""
        labels = batch.leading_labels
        if self.smooth:
            return corrected(log_softmax(teacher, dim=1), labels, self.epsilon)
        return log_softmax(shifted(teacher, labels), dim=1)
