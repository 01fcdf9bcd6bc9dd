"""Knowledge review."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, Side, mean_over_batch
from sakd.distillers.parts.maps import sample_means, squared
from sakd.foundation.errors import require_positive
from sakd.foundation.pooling import average_to
from sakd.networks.adapters import Adapter
from sakd.networks.spots import SpotFamily

LEVELS = (4, 2, 1)
"""Sides of the grids to which maps are averaged, besides their own."""


class KnowledgeReview(Distiller):
    """Match every stage of the teacher with the student's stage, fused with the deeper ones.

    Chen et al., CVPR 2021, arXiv:2104.09044, with residual framework, fusion by attention and
    hierarchical context loss.
    Loss, summed over stages: mean_b sum_l w_l || P_l(U_s) - P_l(F_t) ||^2 / size_l. P_l averages
    over an l x l grid: l is the map's own side, then 4, 2, 1 where these are smaller, with weights
    w_l of 1, 1/2, 1/4, 1/8 over their sum. U_s is a `Fusion` of F_s and the next stage's; F_t is
    taken before its rectifier and F_s after it, as in the authors' code for CIFAR-100.
    A stage counts the samples chosen there. A sample's fusion includes its deeper stages, whether
    or not these are chosen, so its gradient reaches them too. The batch norms of the fusions see
    the full batch, whoever is chosen.
    The authors' weight is 5 for most CIFAR-100 pairs, but 0.6 for resnet56/resnet20, 1 for
    resnet110/resnet32 and 8 for resnet32x4/ShuffleNetV2, and they add no KD (``kd_weight`` 0).
    Differs from the authors' code: no warm-up of 20 epochs; stages only, without the embedding.
    """

    family = SpotFamily.EVERY_STAGE
    weighs = True
    weight = 5.0
    unrectified = Side.TEACHER

    def __init__(self, pair: Pair, *, most_channels: int = 512) -> None:
        """Make the fusions, as wide as the student's last map.

        Args:
            pair: The networks and the data.
            most_channels: Largest width of a fusion.

        Raises:
            UserError: ``most_channels`` is not positive.
        """
        super().__init__(pair)
        require_positive(most_channels=most_channels)
        width = min(most_channels, pair.student_shapes[-1][0])
        sides = zip(pair.student_shapes, pair.teacher_shapes, strict=True)
        channels = [(student[0], width, teacher[0]) for student, teacher in sides]
        *rest, last = channels
        fusions = [*(Fusion(*widths, reviews=True) for widths in rest), Fusion(*last)]
        self.fusions = nn.ModuleList(fusions)

    def losses(
        self, students: Sequence[Tensor], teachers: Sequence[Tensor], batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.losses`; features are maps (B, C, H, W) of any channels and sizes."""
        total = chosen.new_zeros((), dtype=torch.float)
        deeper = None
        for spot in reversed(range(len(students))):
            teacher = teachers[spot]
            reviewed, deeper = self.fusions[spot](students[spot], deeper, teacher.shape[2:])
            total = total + mean_over_batch(context_error(reviewed, teacher), chosen[:, spot])
        return total

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; a single spot has no deeper one to review."""
        reviewed, _ = self.fusions[spot](student, None, teacher.shape[2:])
        return mean_over_batch(context_error(reviewed, teacher), chosen)


class Fusion(nn.Module):
    """A sum of the student's map and the next deeper fusion, weighed at each position."""

    def __init__(self, inputs: int, width: int, outputs: int, *, reviews: bool = False) -> None:
        """Make the convolutions.

        Args:
            inputs: Channels of the student's map.
            width: Channels of the fusion.
            outputs: Channels of the teacher's map.
            reviews: Whether there is a deeper stage.
        """
        super().__init__()
        self.entry = _normalised(nn.Conv2d(inputs, width, 1, bias=False))
        self.attention = nn.Conv2d(2 * width, 2, 1) if reviews else None
        self.exit = _normalised(nn.Conv2d(width, outputs, 3, padding=1, bias=False))

    def forward(
        self, student: Tensor, deeper: Tensor | None, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Fuse, and resize to ``size``.

        Args:
            student: Map (B, C_s, H, W).
            deeper: The second result of the next deeper stage, if there is one.
            size: Height and width of the teacher's map.

        Returns:
            The map (B, C_t, H_t, W_t) to compare with the teacher's, and the fusion
            (B, width, H_t, W_t) for the stage before.
        """
        fused: Tensor = self.entry(student)
        if self.attention is not None and deeper is not None:
            size_here = fused.shape[2:]
            own, deep = self.attention.weight.chunk(2, dim=1)
            preference = conv2d(fused, own, self.attention.bias)
            share = (preference + resized(conv2d(deeper, deep), size_here)).sigmoid()
            fused = share[:, :1] * fused + share[:, 1:] * resized(deeper, size_here)
        fused = resized(fused, size)
        return self.exit(fused), fused


def resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Repeat or skip pixels of maps (B, C, H, W) to get the height and width of ``size``."""
    return maps if maps.shape[2:] == tuple(size) else interpolate(maps, tuple(size))


def context_error(student: Tensor, teacher: Tensor) -> Tensor:
    """Compute the hierarchical context loss (B,) of two maps (B, C, H, W)."""
    levels = [level for level in LEVELS if level < min(student.shape[2:])]
    weights = [0.5**k for k in range(len(levels) + 1)]
    coarser = [(average_to(student, (n, n)), average_to(teacher, (n, n))) for n in levels]
    errors = [sample_means(squared(s - t)) for s, t in [(student, teacher), *coarser]]
    total = torch.stack([w * e for w, e in zip(weights, errors, strict=True)]).sum(dim=0)
    return total / sum(weights)


def _normalised(convolution: nn.Conv2d) -> Adapter:
    nn.init.kaiming_uniform_(convolution.weight, a=1)
    return Adapter(convolution, nn.BatchNorm2d(convolution.out_channels))
