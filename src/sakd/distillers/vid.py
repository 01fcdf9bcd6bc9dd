"""Variational information distillation."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller, squared
from sakd.foundation.errors import require
from sakd.networks.adapters import Adapter
from sakd.networks.spots import SpotFamily

SMALLEST_VARIANCE = 1e-5


class VariationalInformation(Distiller):
    """Maximise a bound on the mutual information of the student's and the teacher's maps.

    Ahn et al., CVPR 2019, arXiv:1904.05835.
    Loss: mean over samples, channels and positions of ((m(F_s) - F_t)^2 / v_c + log v_c) / 2, of a
    Gaussian with mean m, three 1x1 convolutions of F_s, and a variance v_c per channel.
    """

    family = SpotFamily.EVERY_STAGE
    weighs = True
    gamma = 2.0

    def __init__(self, pair: Pair, *, initial_variance: float = 5.0) -> None:
        """Make a Gaussian for every spot.

        Args:
            pair: The networks and the data.
            initial_variance: v_c at the start.

        Raises:
            UserError: ``initial_variance`` is too small.
        """
        super().__init__(pair)
        possible = initial_variance > SMALLEST_VARIANCE
        require(possible, f"initial_variance must be above 1e-5, got {initial_variance}")
        channels = [
            (student[0], teacher[0])
            for student, teacher in zip(pair.student_shapes, pair.teacher_shapes, strict=True)
        ]
        self.gaussians = nn.ModuleList(Gaussian(s, t, initial_variance) for s, t in channels)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        student, teacher = pool_to_smaller(student, teacher)
        mean, variance = self.gaussians[spot](student)
        error = squared(mean - teacher).sum(dim=(2, 3)) / teacher[0, 0].numel()
        unlikely = 0.5 * (error / variance + variance.log())
        return mean_over_batch(unlikely.mean(dim=1), chosen)


class Gaussian(nn.Module):
    """The distribution of the teacher's map given the student's."""

    def __init__(self, inputs: int, outputs: int, initial_variance: float) -> None:
        """Make the convolutions and the variances.

        Args:
            inputs: Channels of the student's map.
            outputs: Channels of the teacher's map.
            initial_variance: Every variance at the start.
        """
        super().__init__()
        self.regressor = Adapter(
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 1, bias=False),
        )
        variance = initial_variance - SMALLEST_VARIANCE
        inverse_softplus = variance + math.log(-math.expm1(-variance))
        self.log_scale = nn.Parameter(torch.full((outputs,), inverse_softplus))

    def forward(self, student: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean (B, C_t, H, W) and variance (C_t,), given a map (B, C_s, H, W)."""
        return self.regressor(student), softplus(self.log_scale) + SMALLEST_VARIANCE
