"""Neuron selectivity transfer."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import normalize

from sakd.data import Batch
from sakd.distillers.base import Distiller, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller, sample_means, sample_sums, squared
from sakd.networks.spots import SpotFamily

SMALLEST_LENGTH = 1e-12
"""Channel maps that are shorter are divided by this."""


class NeuronSelectivity(Distiller):
    """Match the distributions of channel maps by their maximum mean discrepancy.

    Huang & Wang, 2017, arXiv:1707.01219, with the polynomial kernel (d = 2, c = 0).
    Loss: mean_b [ mean_{ij} <t_i, t_j>^2 + mean_{ij} <s_i, s_j>^2 - 2 mean_{ij} <s_i, t_j>^2 ],
    s_i and t_j the channel maps, scaled to unit length over the positions.
    Differs from the SAKD reference: a teacher that is trained too also gets the gradient of the
    first term, without which it would not approach the student.
    """

    family = SpotFamily.EVERY_STAGE
    weighs = True
    weight = 50.0

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        student, teacher = pool_to_smaller(student, teacher)
        return mean_over_batch(discrepancy(student.flatten(2), teacher.flatten(2)), chosen)


def discrepancy(s: Tensor, t: Tensor) -> Tensor:
    """Compute the bracket (B,) of channel maps (B, C_s, P) and (B, C_t, P) of any length.

    The sum over channel pairs of <x_i, y_j>^2 equals <X'X, Y'Y> over pairs of positions, so the
    smaller of both Gram matrices is used, and no tensor of size C x C x P is formed. Of channel
    pairs the Gram matrix is scaled in place of the maps: its diagonal holds their squared lengths.
    """
    (c_s, positions), c_t = s.shape[1:], t.shape[1]
    if positions * (c_s + c_t) < c_s * c_s + c_t * c_t + c_s * c_t:
        units = (normalize(x, dim=2) for x in (s, t))
        gram_s, gram_t = (x.transpose(1, 2) @ x / x.shape[1] for x in units)
        return sample_sums(squared(gram_s - gram_t))
    grams = s @ s.mT, t @ t.mT, s @ t.mT
    by_s, by_t = (inverse_lengths(gram) for gram in grams[:2])
    scales = (by_s, by_s), (by_t, by_t), (by_s, by_t)
    own_s, own_t, both = (
        sample_means(squared(gram * rows[:, :, None] * columns[:, None]))
        for gram, (rows, columns) in zip(grams, scales, strict=True)
    )
    return own_t + own_s - 2 * both


def inverse_lengths(gram: Tensor) -> Tensor:
    """Compute 1 / length (B, C) of the maps with the Gram matrix ``gram`` (B, C, C)."""
    return gram.diagonal(dim1=1, dim2=2).clamp(min=SMALLEST_LENGTH**2).rsqrt()
