"""Attention-based feature distillation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.maps import attention, pooled, squared
from sakd.foundation.errors import require_positive
from sakd.networks.spots import SpotFamily


class FeatureAttention(Distiller):
    """Match each stage of the teacher with all stages of the student, as far as they are alike.

    Ji et al., AAAI 2021, arXiv:2102.02973.
    Loss, summed over the teacher's stages t: mean_b sum_s alpha_bts || q(F_s) - q(F_t) ||^2 / HW,
    q the attention of AT, where the student's squares are averaged to the teacher's size.
    alpha is a softmax over the student's stages s, see `Alikeness`, which the student's loss
    trains. A sample counts for t if it is chosen at the spot of t, for all stages s at once. The
    batch norms see the full batch, whoever is chosen.
    The authors have KD with weight 0.9.
    Differs from the authors' code: stages, where it compares every residual block, so its sum has
    more terms under the same weight of 200; as many stages as both networks have.
    """

    family = SpotFamily.EVERY_STAGE
    weight = 200.0
    weighs = True

    def __init__(self, pair: Pair, *, width: int = 128) -> None:
        """Make the attention between stages.

        Args:
            pair: The networks and the data.
            width: Dimensions in which stages are compared.

        Raises:
            UserError: The width is not positive.
        """
        super().__init__(pair)
        require_positive(width=width)
        students, teachers = (
            [shape[0] for shape in shapes] for shapes in (pair.student_shapes, pair.teacher_shapes)
        )
        self.alikeness = Alikeness(students, teachers, width)

    def losses(
        self, students: Sequence[Tensor], teachers: Sequence[Tensor], batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.losses`; features are maps (B, C, H, W) of any channels and sizes."""
        errors = self.alikeness(students, teachers) * stage_errors(students, teachers)
        columns = zip(errors.sum(dim=2).unbind(dim=1), chosen.unbind(dim=1), strict=True)
        return torch.stack([mean_over_batch(*column) for column in columns]).sum()

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; a single stage has all of the attention."""
        return mean_over_batch(stage_errors([student], [teacher])[:, 0, 0], chosen)


class Alikeness(nn.Module):
    """The share of each of the student's stages in what a stage of the teacher teaches.

    alpha_bts = softmax over s of (<W_t k_bs, q_bt> + <p_t, p_s>) / sqrt(d). Queries q and keys k
    are linear layers of the maps' means with batch norm, keys with a rectifier too; W_t is a
    linear layer with batch norm; p are learnt vectors.
    """

    def __init__(self, students: Sequence[int], teachers: Sequence[int], width: int) -> None:
        """Make the layers.

        Args:
            students: Channels of the student's stages.
            teachers: Channels of the teacher's stages.
            width: d.
        """
        super().__init__()
        self.keys = nn.ModuleList(_normalised(c, width).append(nn.ReLU()) for c in students)
        self.queries = nn.ModuleList(_normalised(c, width) for c in teachers)
        self.turn = _normalised(width, width * len(teachers))
        self.student_places = nn.Parameter(torch.empty(len(students), width))
        self.teacher_places = nn.Parameter(torch.empty(len(teachers), width))
        nn.init.xavier_normal_(self.student_places)
        nn.init.xavier_normal_(self.teacher_places)

    def forward(self, students: Sequence[Tensor], teachers: Sequence[Tensor]) -> Tensor:
        """Compute alpha (B, T, S) from maps (B, C, H, W) of S and of T stages."""
        keys = _described(self.keys, students)
        queries = _described(self.queries, teachers)
        turned = self.turn(keys.flatten(0, 1)).view(*keys.shape[:2], *queries.shape[1:])
        alike = torch.einsum("bstd,btd->bts", turned, queries)
        places = self.teacher_places @ self.student_places.T
        return ((alike + places) / math.sqrt(keys.shape[2])).softmax(dim=2)


def stage_errors(students: Sequence[Tensor], teachers: Sequence[Tensor]) -> Tensor:
    """Compare the attention of S and of T maps (B, C, H, W), stage by stage: (B, T, S)."""
    squares = [squared(maps).mean(dim=1, keepdim=True) for maps in students]
    rows = []
    for teacher in teachers:
        height, width = teacher.shape[2:]
        ours = [normalize(pooled(square, height, width).flatten(1)) for square in squares]
        theirs = attention(teacher)
        rows.append(torch.stack([squared(own - theirs).mean(dim=1) for own in ours], dim=1))
    return torch.stack(rows, dim=1)


def _normalised(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs))


def _described(layers: nn.ModuleList, features: Sequence[Tensor]) -> Tensor:
    """Apply each layer to the means of one stage's maps: (B, stages, d)."""
    means = (maps.mean(dim=(2, 3)) for maps in features)
    return torch.stack([layer(x) for layer, x in zip(layers, means, strict=True)], dim=1)
