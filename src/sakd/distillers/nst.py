"""Neuron selectivity transfer."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import normalize

from sakd.data import Batch
from sakd.distillers.base import Distiller, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller
from sakd.networks.spots import SpotFamily


class NeuronSelectivity(Distiller):
    """Match the distributions of channel maps by their maximum mean discrepancy.

    Huang & Wang, 2017, arXiv:1707.01219, with the polynomial kernel (d = 2, c = 0).
    Loss: mean_b [ mean_{ij} <t_i, t_j>^2 + mean_{ij} <s_i, s_j>^2 - 2 mean_{ij} <s_i, t_j>^2 ],
    s_i and t_j the channel maps, scaled to unit length over the positions.
    Differs from the SAKD reference: a teacher that is trained too also gets the gradient of the
    first term, without which it would not approach the student.
    """

    family = SpotFamily.EVERY_STAGE
    weight = 50.0

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        student, teacher = pool_to_smaller(student, teacher)
        s, t = (normalize(maps.flatten(2), dim=2) for maps in (student, teacher))
        return mean_over_batch(discrepancy(s, t), chosen)


def discrepancy(s: Tensor, t: Tensor) -> Tensor:
    """Compute the bracket (B,) of channel maps (B, C_s, P) and (B, C_t, P).

    The sum over channel pairs of <x_i, y_j>^2 equals <X'X, Y'Y> over pairs of positions, so the
    smaller of both Gram matrices is used, and no tensor of size C x C x P is formed.
    """
    (c_s, positions), c_t = s.shape[1:], t.shape[1]
    if positions * (c_s + c_t) < c_s * c_s + c_t * c_t + c_s * c_t:
        gram_s, gram_t = (x.transpose(1, 2) @ x / x.shape[1] for x in (s, t))
        return (gram_s - gram_t).square().sum(dim=(1, 2))
    return _mean_square(t, t) + _mean_square(s, s) - 2 * _mean_square(s, t)


def _mean_square(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.transpose(1, 2)).square().mean(dim=(1, 2))
