"""Distillation from a stronger teacher."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softmax

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.logits import require_effect
from sakd.foundation.errors import require_not_negative, require_positive
from sakd.networks.spots import SpotFamily

SMALLEST_LENGTH = 1e-6
"""Vectors count as constant if, minus their mean, they are shorter than this."""


class CorrelationOfPredictions(Distiller):
    """Match predictions up to shift and scale, per sample and per class.

    Huang et al., NeurIPS 2022, arXiv:2205.10536. The loss of a sample depends on the others.
    Loss over n chosen samples: tau^2 [ beta mean_i (1 - r(P_s[i, :], P_t[i, :]))
    + gamma mean_k (1 - r(P_s[:, k], P_t[:, k])) ], P (n, K) = softmax(z / tau), r Pearson's
    correlation, over the classes and over the chosen samples. Where the teacher is constant, the
    term is 0, as is the second sum for one chosen sample; where the student alone is constant, r
    is 0 without a gradient. On two classes the first sum is constant.
    beta = gamma = tau = 1 are the defaults of the authors' code, which has the factor tau^2 that
    the equations lack. Common for CIFAR-100 is also beta = gamma = 2, tau = 4.
    It takes the place of KD, which is left out.
    """

    family = SpotFamily.LOGITS

    def __init__(
        self, pair: Pair, *, beta: float = 1.0, gamma: float = 1.0, tau: float = 1.0
    ) -> None:
        """Set the weights and the temperature.

        Args:
            pair: The networks and the data.
            beta: Weight of the correlations over the classes.
            gamma: Weight of the correlations over the samples.
            tau: Temperature.

        Raises:
            UserError: A value is out of range, or beta is above 0 on two classes.
        """
        super().__init__(pair)
        require_not_negative(beta=beta, gamma=gamma)
        require_positive(tau=tau)
        require_effect(pair, f"beta {beta}", asked=beta > 0, remedy="set beta to 0")
        self.between_classes = beta
        self.within_classes = gamma
        self.tau = tau

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are logits (B, K)."""
        p_s, p_t = softmax(student / self.tau, dim=1), softmax(teacher / self.tau, dim=1)
        mask = chosen.to(p_s.dtype)
        samples = mean_over_batch(discord(p_s, p_t, torch.ones_like(p_s[0])), chosen)
        classes = discord(p_s.T, p_t.T, mask).mean() * mask.mean()
        return self.tau**2 * (self.between_classes * samples + self.within_classes * classes)


def discord(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Compute 1 - r (R,) of rows (R, N), over the columns where ``mask`` (N,) is 1."""
    s, t = unit(student, mask), unit(teacher, mask)
    return (t * (t - s)).sum(dim=1)


def unit(rows: Tensor, mask: Tensor) -> Tensor:
    """Centre rows (R, N) and scale them to length 1; constant rows become zero."""
    mean = (rows * mask).sum(dim=1, keepdim=True) / mask.sum().clamp(min=1)
    centred = (rows - mean) * mask
    squared = centred.square().sum(dim=1, keepdim=True)
    varies = squared > SMALLEST_LENGTH**2
    return centred * torch.where(varies, squared, 1).rsqrt() * varies
