"""Decoupled knowledge distillation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.data import Batch
from sakd.distillers.base import Pair
from sakd.distillers.kd import KD
from sakd.distillers.parts.logits import divergence, require_effect
from sakd.foundation.errors import require_not_negative


class DecoupledKD(KD):
    """Match how sure the teacher is of the label, and apart from it how the others compare.

    Zhao et al., CVPR 2022, arXiv:2203.08679. With p softened by T = 4 and y the label:
    Loss: T^2 / B * sum_b [ alpha KL(b_t || b_s) + beta KL(q_t || q_s) ],
    b = (p_y, 1 - p_y), q = the other classes' p / (1 - p_y), that is, a softmax without class y.
    KD is alpha = 1, beta = 1 - p_y of the teacher. beta is 8 in the paper's default, but 2 for
    resnet56/resnet20. It stands in the place of KD, so KD does not go with it. Of a mixed image
    y is its own label, not its partner's. ``standardise`` is as in KD.
    Differs from the paper: no warm-up of 20 epochs.
    """

    def __init__(
        self,
        pair: Pair,
        *,
        alpha: float = 1.0,
        beta: float = 8.0,
        temperature: float = 4.0,
        standardise: bool = False,
    ) -> None:
        """Weigh the label with ``alpha``, the other classes with ``beta``."""
        super().__init__(pair, temperature=temperature, standardise=standardise)
        require_not_negative(alpha=alpha, beta=beta)
        remedy = "set beta to 0, or take kd, which is then the same"
        require_effect(pair, f"beta {beta}", asked=beta > 0, remedy=remedy)
        self.alpha = alpha
        self.beta = beta

    def error(self, student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """See `KD.error`."""
        (label_s, others_s), (label_t, others_t) = (
            decoupled(logits, batch.labels) for logits in (student, teacher)
        )
        return self.alpha * divergence(label_s, label_t) + self.beta * divergence(
            others_s, others_t
        )


def decoupled(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of label and not label (B, 2), and of the others among them (B, K - 1)."""
    places = torch.arange(logits.shape[1] - 1, device=logits.device)
    label, others = logits.gather(1, labels[:, None]), places + (places >= labels[:, None])
    without = logits.gather(1, others)
    either = torch.cat([label, without.logsumexp(dim=1, keepdim=True)], dim=1)
    return log_softmax(either, dim=1), log_softmax(without, dim=1)
