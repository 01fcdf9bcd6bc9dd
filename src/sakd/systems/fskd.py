"""Learning from few images, without labels or gradients: pruned networks, solved layer by layer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from sakd.data import Batch, BatchStream
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork
from sakd.networks.absorbing import Block, absorb, blocks_of
from sakd.networks.pruned import cut, pruned_form
from sakd.networks.watched import watched
from sakd.objectives import Outputs, Player, Settings, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation, System
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.least_squares import LeastSquares

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FSKDSettings(Settings):
    """The settings of `FSKD`.

    Attributes:
        images: The training images that are looked at, the first of the first epoch; None for all
            that students learn from, whose number ``data.student_per_class`` sets.
    """

    images: int | None = None

    def __post_init__(self) -> None:
        """Refuse to learn from nothing."""
        fine = self.images is None or self.images >= 1
        require(fine, f"images must be 1 or more, or null for all, got {self.images}")


class FSKD(System[FSKDSettings]):
    """Few sample knowledge distillation (Li et al., CVPR 2020, arXiv:1812.01839).

    The student is a pruned form of its teacher and begins with the weights that are left. From the
    first convolution to the last, with what is solved already in place,
    Q = argmin |X Q^T - Y|, where rows of X are what the student has before a rectifier, at every
    position of every image, and Y the same channels of the teacher. The 1x1 convolution Q is then
    merged into the convolution before it, so the student stays a plain network.
    A batch norm is merged into its convolution first, and left without effect but for its bias:
    merged before it, as in the authors' code, which has none there, Q would change the function.
    There is nothing else to train, so there is one epoch; further tuning is not part of it, nor is
    the search for the layers to prune. The authors look at 500 images.
    """

    partner = Partner.TEACHER
    pruned = True
    passes = 1
    settings = FSKDSettings
    frozen = ("teacher",)
    resting = ("student",)
    uniform = False
    residuals: Tensor

    def __init__(
        self, situation: Situation, teacher: StagedNetwork, settings: FSKDSettings
    ) -> None:
        """Find what is left of ``teacher`` in the student of ``situation``.

        Raises:
            UserError: The student is no pruned form of it, or there are fewer images.
        """
        super().__init__()
        count = len(situation.data.train_labels)
        fine = settings.images is None or settings.images <= count
        found = f"{settings.images} images, of {count} training images"
        require(fine, f"{found}: set systems.fskd.images to {count} or less, or to null for all")
        self.student, self.count = situation.student, settings.images
        shape = situation.data.image_shape
        self.cuts = pruned_form(self.student, teacher, shape)
        self.blocks = blocks_of(self.student, shape)
        self.teacher = teacher.eval().requires_grad_(False)
        self.register_buffer("residuals", torch.zeros(len(self.blocks)))

    @classmethod
    def of(cls, situation: Situation, settings: FSKDSettings) -> Self:
        """Build the system; see `System.of`."""
        (teacher,) = situation.partners
        return cls(situation, teacher, settings)

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    def players(self) -> dict[str, Player]:
        """Name no player: nothing is trained by a loss."""
        return {}

    @torch.no_grad()
    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Solve all layers before the first epoch."""
        if epoch:
            return
        cut(self.student, self.teacher, self.cuts)
        left = {each.name: each.outputs for each in self.cuts}
        device = self.residuals.device
        with without_casts(device):
            for number, block in enumerate(self.blocks):
                kept = left[block.convolution].to(device)
                mixing, self.residuals[number] = self._solved(block, kept, stream)
                absorb(self.student, block, mixing)

    def _solved(self, block: Block, kept: Tensor, stream: BatchStream) -> tuple[Tensor, Tensor]:
        """Find the matrix of the 1x1 convolution after ``block``, and its relative error."""
        problem = LeastSquares(len(kept))
        for images in few(stream, self.count):
            ours = rows(self.student, block.end, images)
            problem.add(ours, rows(self.teacher, block.end, images)[:, kept])
        if problem.count < len(kept):
            logger.warning(
                "%s: %d positions for %d channels leave many solutions; the smallest is taken",
                *(block.convolution, problem.count, len(kept)),
            )
        return problem.solve()

    @torch.no_grad()
    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Measure how far the student is from its teacher; there is no loss."""
        ours, theirs = full_precision([self.student(batch.images), self.teacher(batch.images)])
        named = zip(self.blocks, self.residuals.clone(), strict=True)
        errors = {f"residual/{block.convolution}": error for block, error in named}
        return StepResult({}, {"kl": divergence(ours, theirs), **errors})


def few(stream: BatchStream, count: int | None) -> Iterator[Tensor]:
    """Yield the first ``count`` images (B, C, H, W) of the first epoch; all of them for None."""
    for batch in stream.epoch(0):
        if count is None:
            yield batch.images
            continue
        yield batch.images[:count]
        count -= len(batch.images)
        if count <= 0:
            return


def rows(network: nn.Module, name: str, images: Tensor) -> Tensor:
    """Run ``network``; give the output of the module called ``name``, (B H W, C)."""
    found: list[Tensor] = []
    with watched(network, name, found.append):
        network(images)
    (maps,) = found
    return maps.movedim(1, -1).flatten(0, -2)
