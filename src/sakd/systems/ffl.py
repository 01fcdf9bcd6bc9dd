"""Feature fusion learning: two branches, and a classifier of both their maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork, probe
from sakd.networks.zoo.blocks import GlobalAveragePool, conv_bn_relu, initialise
from sakd.objectives import Outputs, Player, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.branched import fresh_tails
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.ramp import RampSettings, Rising
from sakd.systems.parts.tails import last_stage
from sakd.systems.parts.view import View
from sakd.tasks import Task

FUSION_DECAY = 0.1
"""The weight decay of the fusion as a multiple of that of the branches: 1e-5 and 1e-4."""


def fusion(channels: int, classes: int) -> nn.Module:
    """Make the classifier of two maps of so many ``channels``, which lie one after the other.

    A depthwise 3x3 convolution and a 1x1 convolution to ``channels``, each with batch norm and
    rectifier, the mean over positions, and a linear layer.
    """
    both = 2 * channels
    layers = (
        conv_bn_relu(both, both, 3, groups=both),
        conv_bn_relu(both, channels),
        GlobalAveragePool(),
        nn.Linear(channels, classes),
    )
    return initialise(nn.Sequential(*layers))


class FFL(Rising[RampSettings]):
    """Two branches that learn from a classifier of both their last maps, and it from them.

    Kim et al., ICPR 2021, arXiv:1904.09058. z_1 and z_2 are of the branches, z_e is their mean, and
    z_f is of the fused maps. L = CE(z_1, y) + CE(z_2, y) + CE(z_f, y)
    + ramp T^2 (KL(z_f || z_1) + KL(z_f || z_2) + KL(z_e || z_f)), over softmax(. / T), where the
    first of a pair is given. The ``student``, the first branch, has the trunk and both tails;
    the ``fusion`` minimises the same loss with a tenth of its weight decay. For the weight see
    `Ramp`.
    """

    partner = Partner.NONE
    settings = RampSettings

    def __init__(
        self,
        student: StagedNetwork,
        tails: Sequence[StagedNetwork],
        fused: nn.Module,
        task: Task,
        how: RampSettings,
    ) -> None:
        """Put one of ``tails`` beside the last stage of ``student``; ``fused`` takes both maps."""
        super().__init__(student, tails, last_stage(student), task, how)
        self.fusion = fused

    @classmethod
    def of(cls, situation: Situation, settings: RampSettings) -> Self:
        """Give the student a fresh tail and a fresh fusion.

        Raises:
            UserError: The student has too few stages, or its last one gives no maps.
        """
        student, data = situation.student, situation.data
        cut, seen = last_stage(student), probe(student, data.image_shape)
        last = tuple(seen.features[-2].shape[1:])
        require(
            len(last) == len("CHW"),
            f"ffl fuses maps (C, H, W), but the last stage of this network gives {last}: take a "
            "convolutional one",
        )
        fused = fusion(last[0], len(seen.logits[0]))
        return cls(student, fresh_tails(situation, 1, cut), fused, data.task, settings)

    def further_networks(self) -> Mapping[str, nn.Module]:
        """Name the second branch, and the fused classifier."""
        return {**self.views("branch", 2), "fused": View(self, self.fused)}

    def fused(self, images: Tensor) -> Tensor:
        """Give the logits (B, K) of the fused maps of images (B, C, H, W)."""
        _, branches = self.branches(images)
        logits: Tensor = self.fusion(torch.cat([b.features[-2] for b in branches], dim=1))
        return logits

    def players(self) -> dict[str, Player]:
        """Name the student with both branches, and the fusion."""
        fused = Player.of(self.fusion)._replace(like="student", decay_factor=FUSION_DECAY)
        return {"student": Player.of(self.student, self.tails), "fusion": fused}

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of ``batch``; ``teacher`` is ignored."""
        _, branches = self.branches(batch.images)
        fused = self.fusion(torch.cat([branch.features[-2] for branch in branches], dim=1))
        logits = full_precision([*(branch.logits for branch in branches), fused])
        with without_casts(batch.images.device):
            return self.losses(logits, batch)

    def losses(self, logits: Sequence[Tensor], batch: Batch) -> StepResult:
        """Compute the loss for the ``logits`` (B, K) of both branches, and of the fusion."""
        one, two, fused = logits
        labels = [self.task.loss(z, batch) for z in logits]
        given, mean = fused.detach(), ((one + two) / 2).detach()
        heat = self.how.temperature
        followed = divergence(one, given, heat) + divergence(two, given, heat)
        ensemble = divergence(fused, mean, heat)
        total = torch.stack(labels).sum() + self.ramp(followed + ensemble)
        terms = {
            "cross_entropy": labels[0],
            "branch": labels[1],
            "fused": labels[2],
            "divergence": followed,
            "ensemble": ensemble,
            "ramp": self.ramp.weight,
        }
        detached = {name: term.detach() for name, term in terms.items()}
        return StepResult({"student": total, "fusion": total}, detached)
