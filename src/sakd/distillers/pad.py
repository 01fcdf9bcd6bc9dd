"""Prime-aware adaptive distillation."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.base import Distiller, Epoch, Pair, mean_over_batch
from sakd.distillers.parts.maps import sample_means, squared
from sakd.foundation.errors import require
from sakd.networks.spots import SpotFamily

SMALLEST_VARIANCE = 1e-6


class PrimeAwareAdaptive(Distiller):
    """Regress the teacher's embedding, and doubt what is hard to regress.

    Zhang et al., ECCV 2020, arXiv:2008.01458, as in torchdistill, another implementation.
    Loss: mean over samples and dimensions of (r(e_s) - e_t)^2 / (1e-6 + exp v) + v, v the
    logarithm of a variance: a linear layer and a batch norm of r(e_s), but 0 in the epochs of the
    warm-up. r is a linear layer where widths differ. The batch norm sees the full batch, whoever
    is chosen. The loss may be negative.
    Differs from the paper: there, a training with the squared distance alone comes first; here, a
    warm-up is the first part of the same training, and there is none unless it is asked for.
    """

    family = SpotFamily.EMBEDDING
    weighs = True
    doubting: Tensor

    def __init__(self, pair: Pair, *, warm_up: float = 0.0) -> None:
        """Make the regressor and the layers of the variance.

        Args:
            pair: The networks and the data.
            warm_up: The share of the epochs, from the first, in which nothing is doubted.

        Raises:
            UserError: The share is not in [0, 1).
        """
        super().__init__(pair)
        require(0 <= warm_up < 1, f"warm_up is a share of the epochs in [0, 1), got {warm_up}")
        self.warm_up = warm_up
        self.register_buffer("doubting", torch.ones(()))
        (ours,), (theirs,) = pair.student_shapes[0], pair.teacher_shapes[0]
        self.regressor = nn.Identity() if ours == theirs else nn.Linear(ours, theirs)
        self.log_variance = nn.Sequential(
            nn.Linear(theirs, theirs, bias=False), nn.BatchNorm1d(theirs)
        )

    def begin_epoch(self, epoch: Epoch) -> None:
        """Doubt nothing in the warm-up."""
        self.doubting.fill_(epoch.number >= self.warm_up * epoch.total)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are embeddings (B, C)."""
        regressed = self.regressor(student)
        doubt = self.log_variance(regressed) * self.doubting
        error = squared(regressed - teacher) * inverse_variance(doubt) + doubt
        return mean_over_batch(sample_means(error), chosen)


def inverse_variance(logarithm: Tensor) -> Tensor:
    """Compute 1 / (1e-6 + exp v) of v of any size, without an overflow in the gradient."""
    floor = logarithm.new_full((), math.log(SMALLEST_VARIANCE))
    return torch.logaddexp(logarithm, floor).neg().exp()
