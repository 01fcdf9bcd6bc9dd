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
    """Match the probability of the label and the distribution over the other classes separately.

    Zhao et al., CVPR 2022, arXiv:2203.08679.
    Loss: T^2 / B * sum_b [ alpha KL(b_t || b_s) + beta KL(q_t || q_s) ], p = softmax(z / T),
    b = (p_y, 1 - p_y) with y the label, q the softmax over the classes but y, T = 4. A mixed
    image counts by the label with the larger share.
    KD is alpha = 1, beta = 1 - p_y of the teacher. On two classes the second term is constant.
    beta is 8 in the paper's default, but 2 for resnet56/resnet20. ``standardise`` is that of KD.
    It takes the place of KD, which is left out.
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
        """Set the weights and the temperature.

        Args:
            pair: The networks and the data.
            alpha: Weight of the label's term.
            beta: Weight of the other classes' term.
            temperature: T.
            standardise: Whether to compare z-scores of the logits.

        Raises:
            UserError: A value is out of range, or beta is above 0 on two classes.
        """
        super().__init__(pair, temperature=temperature, standardise=standardise)
        require_not_negative(alpha=alpha, beta=beta)
        remedy = "set beta to 0, or take kd, which is then the same"
        require_effect(pair, f"beta {beta}", asked=beta > 0, remedy=remedy)
        self.alpha = alpha
        self.beta = beta

    def error(self, student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
        """See `KD.error`."""
        (label_s, others_s), (label_t, others_t) = (
            decoupled(logits, batch.leading_labels) for logits in (student, teacher)
        )
        return self.alpha * divergence(label_s, label_t) + self.beta * divergence(
            others_s, others_t
        )


def decoupled(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Split the log-probabilities of ``logits`` (B, K) by ``labels`` (B,).

    Returns:
        Those of the label and of all others together (B, 2), and those of the other classes given
        that it is one of them (B, K - 1).
    """
    places = torch.arange(logits.shape[1] - 1, device=logits.device)
    label, others = logits.gather(1, labels[:, None]), places + (places >= labels[:, None])
    without = logits.gather(1, others)
    either = torch.cat([label, without.logsumexp(dim=1, keepdim=True)], dim=1)
    return log_softmax(either, dim=1), log_softmax(without, dim=1)
