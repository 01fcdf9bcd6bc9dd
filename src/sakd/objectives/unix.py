"""Distil the images of which the student is least sure, each mixed with another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.data.batches.mixing import Mixture
from sakd.foundation.errors import require, require_positive
from sakd.networks.staged import in_mode
from sakd.objectives.outputs import full_precision
from sakd.objectives.problem import Problem, Settings
from sakd.objectives.spot_distillation import SpotDistillation
from sakd.routing.uncertain import Score, doubt

FEWEST = 2
"""Images that a batch keeps at least: batch norms take no statistics of one."""


@dataclass(frozen=True, kw_only=True)
class Mixing(Settings):
    """How images are chosen and mixed; the defaults are those of the authors' code.

    Attributes:
        share: k / B, the part of a batch that is kept; the authors take 48 of 64.
        turn: b / B, the place in the order at which half of lambda is mixed in; 32 of 64.
        slope: w, how steeply the part that is mixed in rises there; 10 in all published commands.
        score: The measure of doubt.

    Raises:
        UserError: A value is out of range.
    """

    share: float = 0.75
    turn: float = 0.5
    slope: float = 10.0
    score: Score = "entropy"

    def __post_init__(self) -> None:
        """Check the numbers."""
        require(0 < self.share <= 1, f"share must be above 0 and at most 1, got {self.share}")
        require(0 <= self.turn <= 1, f"turn must be in [0, 1], got {self.turn}")
        require_positive(slope=self.slope)

    def mix(self, batch: Batch, doubts: Tensor, most: Tensor, partners: Tensor) -> Batch:
        """Keep the images of the highest doubt in falling order, and mix each with another one.

        Args:
            batch: B images.
            doubts: (B,), the higher, the less sure.
            most: Lambda, a scalar: the largest part of another image.
            partners: (B,) int64, the positions in ``batch`` of the images that are mixed in.
        """
        size = len(doubts)
        kept = min(size, max(FEWEST, round(self.share * size)))
        first = doubts.argsort(descending=True, stable=True)[:kept]
        second = partners[:kept]
        place = torch.arange(kept, device=doubts.device, dtype=most.dtype) / size
        part = most * (self.slope * (place - self.turn + 0.5 / size)).sigmoid()
        images = torch.lerp(batch.images[first], batch.images[second], part.view(-1, 1, 1, 1))
        return batch._replace(
            images=images,
            labels=batch.labels[first],
            index=batch.index[first],
            mixture=Mixture(batch.labels[second], 1 - part),
            view=None,
        )


class Unix(SpotDistillation):
    """Teach only what the student doubts, mixed with other images: UNIX, uncertainty-aware mixup.

    Xu et al., 2020, arXiv:2012.09413. The student scores all B images of a batch without gradient;
    r is their order by falling doubt. x_i <- (1 - m_i) x_r(i) + m_i x_p(i) for the first k ranks i,
    counted from 0, where p is a random permutation of all B and
    m_i = lambda sigmoid(w (i / B - (2b - 1) / (2B))), lambda ~ Beta(1, 1), one for the batch.
    Teacher and student run on those k, and all losses and the policy are as in `SpotDistillation`,
    with mixed labels; `Batch.index` is that of x_r(i), which no two share. The published runs have
    KD alone, that is a ``ce_weight`` of 0; the default here is 1, as everywhere.
    Differs from the authors' code: the student scores in evaluation mode, where theirs updates the
    statistics of batch norms once more.
    """

    settings = Mixing
    mixes = True
    mixing = Mixing()

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Build the objective with the settings of ``problem``."""
        made = super().of(problem)
        made.mixing = cls.settings(**problem.options)
        return made

    def request(self) -> None:
        """Ask for nothing: the teacher sees what is arranged for this student alone."""

    def arrange(self, batch: Batch) -> Batch:
        """Choose images by the student's doubt, and mix them.

        Raises:
            UserError: The images are mixed already.
        """
        require(
            batch.mixture is None,
            "objective Unix mixes images itself, and those of this stream are mixed: make it "
            "without mixup and cutmix",
        )
        source, device = batch.draws("arrange"), batch.images.device
        most = torch.rand((), generator=source, device=device)  # Beta(1, 1) is uniform
        partners = torch.rand(len(batch.labels), generator=source, device=device).argsort()
        most = most.to(batch.images.dtype)
        return self.mixing.mix(batch, self.doubts(batch.images), most, partners)

    @torch.no_grad()
    def doubts(self, images: Tensor) -> Tensor:
        """Score ``images`` (B, C, H, W) by the student's doubt, (B,), and leave it as it is."""
        with in_mode(self.student, training=False):
            (logits,) = full_precision([self.student(images)])
        return doubt(logits, self.mixing.score)
