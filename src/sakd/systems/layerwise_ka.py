"""Features of teachers of different classes, made one representation stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from sakd.foundation.errors import require, require_not_negative
from sakd.networks.spots import SpotFamily
from sakd.objectives import Outputs
from sakd.objectives.adam import AdamOptimisation
from sakd.systems.base import Situation
from sakd.systems.parts.amalgam import BlockSettings, InBlocks, same_size

Shape = tuple[int, ...]
Stage = tuple[int, list[int]]


@dataclass(frozen=True, kw_only=True)
class LayerwiseSettings(BlockSettings):
    """The settings of `LayerwiseKA`; the defaults are those of the code of the authors' group.

    Attributes:
        follow_weight: The weight of the student's distance from the representation.
        rebuild_weight: The weight of the error by which it gives the teachers' features back.
        block_lr: The learning rate of the blocks, by Adam.
    """

    block_lr: float = 1e-3
    follow_weight: float = 1.0
    rebuild_weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse negative weights."""
        super().__post_init__()
        require_not_negative(follow_weight=self.follow_weight, rebuild_weight=self.rebuild_weight)


class LayerwiseKA(InBlocks[LayerwiseSettings]):
    """Layer-wise knowledge amalgamation, without labels, as in the code of the authors' group.

    Shen et al., AAAI 2019, not checked against the paper. To `Amalgamation` it adds, at every pair
    of stages, mean (fam(F_s) - sg(r))^2 and sum_m mean (dec_m(r) - F_m)^2 of the representation
    r = enc([F_1; ...; F_M]), which has the student's channels; enc, fam and dec are 1x1
    convolutions, which learn along by Adam, whose rate falls to 0 by a cosine over all steps.
    Differs from the code: there every convolution has such a block, here every stage that all
    networks have; larger maps are averaged to the smallest; the student is trained by the recipe
    of the study, there as the blocks are.
    """

    settings = LayerwiseSettings
    recipe = AdamOptimisation(weight_decay=1e-4, schedule="cosine")

    def __init__(self, situation: Situation, settings: LayerwiseSettings) -> None:
        """Make a block for every stage.

        Raises:
            UserError: The classes of the teachers are not those of the student, each once; or the
                networks have no stages with maps in common.
        """
        super().__init__(situation, settings)
        self.spots = common_stages(self.shapes)
        found = [self._shapes_at(*spot) for spot in self.spots]
        require(
            bool(found) and all(len(shape) == len("CHW") for each in found for shape in each),
            "layerwise_ka compares maps (C, H, W) after every stage, which these networks do not "
            "have: take others, or joined_kd",
        )
        self.blocks = nn.ModuleList(
            Block(shapes[0][0], [shape[0] for shape in shapes[1:]]) for shapes in found
        )
        self.weights |= {"follow": settings.follow_weight, "rebuild": settings.rebuild_weight}

    def _shapes_at(self, stage: int, places: Sequence[int]) -> list[Shape]:
        ours, *theirs = self.shapes
        return [ours[stage], *(each[at] for each, at in zip(theirs, places, strict=True))]

    def knowledge(self, student: Outputs, taught: Sequence[Outputs]) -> Mapping[str, Tensor]:
        """Sum both terms of all stages."""
        each = []
        blocks = cast("nn.ModuleList", self.blocks)
        for block, (stage, places) in zip(blocks, self.spots, strict=True):
            given = [one.features[place] for one, place in zip(taught, places, strict=True)]
            ours, *theirs = same_size([student.features[stage], *given])
            each.append(block(ours, theirs))
        follow, rebuild = (torch.stack(terms).sum() for terms in zip(*each, strict=True))
        return {"follow": follow, "rebuild": rebuild}


def common_stages(shapes: Sequence[Sequence[Shape]]) -> list[Stage]:
    """List the stages of a student that have a counterpart in each of its teachers.

    Args:
        shapes: The shapes of the features of the student, and of those of each teacher.

    Returns:
        The number of the student's feature, and those of the teachers' features.
    """
    ours, *theirs = shapes
    paired = [dict(SpotFamily.EVERY_MAP.spots(len(ours), len(each))) for each in theirs]
    stages = (stage for stage in range(len(ours)) if all(stage in pairs for pairs in paired))
    return [(stage, [pairs[stage] for pairs in paired]) for stage in stages]


class Block(nn.Module):
    """A representation of the features of several teachers, which a student follows."""

    def __init__(self, student: int, teachers: Sequence[int]) -> None:
        """Take the numbers of channels of the student and of each teacher."""
        super().__init__()
        self.widths = list(teachers)
        self.enc = nn.Conv2d(sum(teachers), student, 1)
        self.fam = nn.Conv2d(student, student, 1)
        self.dec = nn.Conv2d(student, sum(teachers), 1)

    def forward(self, student: Tensor, teachers: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Compute the error of the student, and that of giving the features back, two scalars.

        Args:
            student: The student's map (B, C, H, W).
            teachers: Those of the teachers, of the same size.
        """
        shared = self.enc(torch.cat(list(teachers), dim=1))
        rebuilt = self.dec(shared).split(self.widths, dim=1)
        errors = [mse_loss(ours, theirs) for ours, theirs in zip(rebuilt, teachers, strict=True)]
        return mse_loss(self.fam(student), shared.detach()), torch.stack(errors).sum()
