"""Learning what and where to transfer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu6

from sakd.data import Batch
from sakd.distillers.base import Pair, mean_over_batch
from sakd.distillers.parts.maps import squared
from sakd.distillers.parts.outer import OuterTrained
from sakd.foundation.errors import require, require_positive
from sakd.networks.spots import Spot, SpotFamily

MOST = 6.0
"""The largest weight of a pair of stages."""


class LearnedTransfer(OuterTrained):
    """Match each stage of the teacher with all stages of the student, as far as the labels gain.

    Jang et al., ICML 2019, arXiv:1905.05901.
    Loss, summed over the teacher's stages m and the student's n:
    mean_b lambda_b^mn sum_c w_bc^mn || r(F_s^n)_c - F_t,c^m ||^2 / HW, r a 1x1 convolution for each
    pair, where the teacher's map is resized to the student's. What to transfer, w, and where,
    lambda, are learnt, see `WhatAndWhere`, by an outer loss, see `OuterTrained`.
    A sample counts for m if it is chosen at the spot of m, for all stages n at once.
    Differs from the authors' code: stages, not the blocks within them, and as many as both networks
    have; teacher and student have the same classes. KD joins the student's loss, which it does not
    in the paper, and neither the steps that are only tried nor the outer loss.
    """

    family = SpotFamily.EVERY_STAGE
    weight = 0.5
    weighs = True

    choice: WhatAndWhere

    def __init__(self, pair: Pair, *, steps: int = 2, lr: float = 1e-4) -> None:
        """Make the regressors of all pairs of stages, and the networks that weigh them.

        Args:
            pair: The networks and the data.
            steps: Steps by this loss alone that are tried for the outer loss, T.
            lr: The learning rate of what and where.

        Raises:
            UserError: An option is out of range.
        """
        super().__init__(pair)
        require(steps >= 1, f"steps must be 1 or more, got {steps}")
        require_positive(lr=lr)
        self.steps = steps
        self.lr = lr
        students, teachers = (
            [shape[0] for shape in shapes] for shapes in (pair.student_shapes, pair.teacher_shapes)
        )
        self.regressors = nn.ModuleList(nn.Conv2d(s, t, 1) for t, s in product(teachers, students))
        self.choice = WhatAndWhere(teachers, len(students))

    def matching(
        self,
        students: Sequence[Tensor],
        teachers: Sequence[Tensor],
        chosen: Tensor,
        weights: Sequence[Tensor],
    ) -> Tensor:
        """See `OuterTrained.matching`; features are maps (B, C, H, W) of any channels and sizes."""
        pairs = product(zip(teachers, chosen.unbind(dim=1), strict=True), students)
        each = [
            self._error(k, student, teacher, weights[k], column)
            for k, ((teacher, column), student) in enumerate(pairs)
        ]
        return torch.stack(each).sum()

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; the stages of one spot alone."""
        count = len(self.pair.spots)
        weights = self.choice.of_stage(spot, teacher)[spot]
        return self._error(spot * count + spot, student, teacher, weights, chosen)

    def compared(self) -> list[Spot]:
        """See `OuterTrained.compared`."""
        spots = self.pair.spots
        return [Spot(ours.student, theirs.teacher) for theirs, ours in product(spots, spots)]

    def strengths(self, weights: Sequence[Tensor]) -> Tensor:
        """See `OuterTrained.strengths`: lambda as a part of 6."""
        return torch.stack([each.sum(dim=1) for each in weights], dim=1) / MOST

    def _error(
        self, pair: int, student: Tensor, teacher: Tensor, weights: Tensor, chosen: Tensor
    ) -> Tensor:
        """Compare maps of one pair of stages by ``weights`` (B, C)."""
        differences = self.regressors[pair](student) - resized(teacher, student)
        errors = squared(differences).sum(dim=(2, 3)) / differences[0, 0].numel()
        return mean_over_batch((weights * errors).sum(dim=1), chosen)


class WhatAndWhere(nn.Module):
    """The weights of every channel of a teacher's stage for every stage of a student.

    From the means x (B, C) of the teacher's maps: lambda w, w = softmax(A x + a) of channels and
    lambda = relu6(<l, x> + 1), each for every pair of stages. At first A and a are 0, so that all
    channels count alike.
    """

    def __init__(self, teachers: Sequence[int], students: int) -> None:
        """Make the layers.

        Args:
            teachers: Channels of the teacher's stages.
            students: The number of the student's stages.
        """
        super().__init__()
        self.students = students
        pairs = [channels for channels in teachers for _ in range(students)]
        what = [nn.Linear(channels, channels) for channels in pairs]
        where = [nn.Linear(channels, 1) for channels in pairs]
        for layer in what:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        for layer in where:
            nn.init.ones_(layer.bias)
        self.what, self.where = nn.ModuleList(what), nn.ModuleList(where)

    def forward(self, teachers: Sequence[Tensor]) -> list[Tensor]:
        """Weigh maps (B, C, H, W) of all stages: (B, C) for each pair, in order of the teacher."""
        stages = (self.of_stage(number, maps) for number, maps in enumerate(teachers))
        return [weights for stage in stages for weights in stage]

    def of_stage(self, number: int, maps: Tensor) -> list[Tensor]:
        """Weigh maps (B, C, H, W) of one stage, for each stage of the student: (B, C)."""
        means, first = maps.mean(dim=(2, 3)), number * self.students
        layers = zip(self.what[first:], self.where[first:], range(self.students), strict=False)
        return [relu6(where(means)) * what(means).softmax(dim=1) for what, where, _ in layers]


def resized(maps: Tensor, like: Tensor) -> Tensor:
    """Resize maps (B, C, H, W) bilinearly to height and width of others, if these differ."""
    if maps.shape[2:] == like.shape[2:]:
        return maps
    return interpolate(maps, like.shape[2:], mode="bilinear", align_corners=False)
