"""Matching guided distillation."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.base import Distiller, Epoch, Pair, Side, mean_over_batch
from sakd.distillers.parts.maps import pool_to_smaller
from sakd.distillers.parts.margins import NegativeMean, shortfalls
from sakd.distillers.parts.matching import Groups, likeness
from sakd.foundation.errors import require_positive
from sakd.networks.spots import SpotFamily


class MatchingGuided(Distiller):
    """Regress groups of the teacher's channels, each by the channel of the student that is like it.

    Yue et al., ECCV 2020, arXiv:2008.09958.
    Loss of stage i of n: 2^(i-n) * mean_b sum over elements of (bn(s) - u)^2, omitted where
    bn(s) <= u <= 0; s and t are responses before the rectifier, bn a batch norm. u is, at each
    position, that of the values of a group which is largest by its magnitude, but at least the mean
    of the margins of the group; the margin of a channel is the mean of its negative responses.
    Groups are chosen by the Hungarian method, so that the sum of the cosines between the maps of
    the student's channels and those of their groups is largest, before the first epoch and again
    every few; images are those of the epoch to come, and both networks in evaluation mode. Batch
    norms and margins see the full batch, whoever is chosen. The weight of 1/10000 is that of the
    authors' code.
    Differs from the authors' code: a margin is the mean of all responses seen in training so far,
    and not derived from batch norms; where the teacher's channels are no multiple of the student's,
    those that match worst are left out, and not the last; a student may have more channels than
    its teacher; maps of unequal size are averaged to the smaller. Without random drops.
    """

    family = SpotFamily.EVERY_STAGE
    weight = 1e-4
    weighs = True
    unrectified = Side.BOTH

    def __init__(
        self,
        pair: Pair,
        *,
        every: int = 2,
        images: int = 20000,
        magnitude: bool = True,
        sparse: bool = False,
    ) -> None:
        """Make a batch norm, margins and groups for every spot.

        Args:
            pair: The networks and the data.
            every: Epochs from one matching to the next.
            images: The number of images that are enough for a matching.
            magnitude: Whether the value of largest magnitude stands for a group; if not, the
                largest value does, and the largest margin.
            sparse: Whether a group is a single channel.

        Raises:
            UserError: A number is not positive.
        """
        super().__init__(pair)
        require_positive(every=every, images=images)
        channels = [
            (s[0], t[0]) for s, t in zip(pair.student_shapes, pair.teacher_shapes, strict=True)
        ]
        self.norms = nn.ModuleList(nn.BatchNorm2d(ours) for ours, _ in channels)
        self.margins = nn.ModuleList(NegativeMean(theirs) for _, theirs in channels)
        self.groups = nn.ModuleList(Groups(*both, sparse=sparse) for both in channels)
        self.every = every
        self.images = images
        self.magnitude = magnitude

    @torch.no_grad()
    def begin_epoch(self, epoch: Epoch) -> None:
        """Match the channels, if it is time."""
        if epoch.number % self.every:
            return
        seen, alike = 0, [torch.zeros(())] * len(self.pair.spots)
        for students, teachers in epoch.features():
            pairs = (pool_to_smaller(*both) for both in zip(students, teachers, strict=True))
            alike = [sums + likeness(*both) for sums, both in zip(alike, pairs, strict=True)]
            seen += len(students[0])
            if seen >= self.images:
                break
        for spot, sums in enumerate(alike):
            self._groups(spot).match(sums)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        student, teacher = pool_to_smaller(self.norms[spot](student), teacher)
        groups, margins = self._groups(spot), self.margins[spot](teacher)[None]
        several, least = groups.gathered(teacher), groups.gathered(margins)
        if self.magnitude:
            wanted = torch.maximum(largest_by_magnitude(several), least.mean(dim=2))
        else:
            wanted = torch.maximum(several.amax(dim=2), least.amax(dim=2))
        weight = 2.0 ** (spot + 1 - len(self.pair.spots))
        return weight * mean_over_batch(shortfalls(groups.chosen(student), wanted), chosen)

    def _groups(self, spot: int) -> Groups:
        return cast("Groups", self.groups[spot])


def largest_by_magnitude(several: Tensor) -> Tensor:
    """Take that of the values (B, P, G, H, W) of each group which is furthest from zero."""
    largest, smallest = several.amax(dim=2), several.amin(dim=2)
    return torch.where(largest >= -smallest, largest, smallest)
