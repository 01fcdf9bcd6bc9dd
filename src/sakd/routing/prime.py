"""Weigh samples by how predictable their teacher is."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sakd.routing.base import Route, RoutingPolicy
from sakd.routing.scene import Scene

SMALLEST_VARIANCE = 1e-6
LOG_SMALLEST = math.log(SMALLEST_VARIANCE)


class Prime(RoutingPolicy):
    """Weigh every sample by the certainty with which the teacher's embedding follows from its own.

    Zhang et al., ECCV 2020, arXiv:2008.01458, have the variance in a loss, that of the distiller
    `pad`; to weigh samples by it is proposed here. w_b = mean_d 1 / s_bd at every spot, divided by
    its mean over the batch; s = 1e-6 + exp v, v a linear layer and a batch norm of r(e_s), r linear
    where widths differ.
    r and v are trained beside the student, by mean_bd [ (r(e_s) - e_t)^2 / s + v ] of embeddings
    without gradient, so that the weights suit any distiller and no loss of the student's can lower
    them. All samples learn their labels.
    It collapses to "equal weights" where no sample is more predictable than another.
    """

    trained = True
    grafted = False
    weighs = True

    def __init__(self, student_width: int, teacher_width: int, decisions: int) -> None:
        """Make the regressor and the layers of the variance.

        Args:
            student_width: C_s.
            teacher_width: C_t.
            decisions: D.
        """
        super().__init__(student_width, teacher_width, decisions)
        same = student_width == teacher_width
        self.regressor = nn.Identity() if same else nn.Linear(student_width, teacher_width)
        self.log_variance = nn.Sequential(
            nn.Linear(teacher_width, teacher_width, bias=False), nn.BatchNorm1d(teacher_width)
        )

    def forward(self, scene: Scene) -> Route:
        """Weigh the samples, and price the prediction, see `RoutingPolicy.forward`."""
        predicted = self.regressor(scene.student.embedding)
        doubt: Tensor = self.log_variance(predicted)
        certainty = torch.sigmoid(LOG_SMALLEST - doubt)  # 1e-6 / s, which cannot overflow
        error = (predicted - scene.teacher.embedding) * SMALLEST_VARIANCE**-0.5
        cost = (error * error * certainty + doubt).mean()
        weight = certainty.detach().mean(dim=1)
        return Route(self.everywhere(weight / weight.mean()), cost=cost)
