"""One student of all classes from trained teachers that each know some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar, cast

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers import Side
from sakd.distillers.parts.maps import pooled
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require, require_positive
from sakd.networks import StagedNetwork, feature_shapes, probe
from sakd.objectives import Outputs, Player, StepResult
from sakd.objectives.adam import AdamOptimisation
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.divergence import DivergenceSettings, divergence
from sakd.systems.parts.learner import OneStudent
from sakd.systems.parts.teachers import asked


@dataclass(frozen=True, kw_only=True)
class AmalgamationSettings(DivergenceSettings):
    """The settings of every system of teachers of different classes, with joined logits."""

    temperature: float = 1.0


@dataclass(frozen=True, kw_only=True)
class BlockSettings(AmalgamationSettings):
    """The settings of a system that brings the features of its teachers together in blocks.

    Attributes:
        block_lr: The learning rate of the blocks, by Adam.
    """

    block_lr: float

    def __post_init__(self) -> None:
        """Refuse a learning rate that is not positive."""
        super().__post_init__()
        require_positive(block_lr=self.block_lr)


A = TypeVar("A", bound=AmalgamationSettings)
B = TypeVar("B", bound=BlockSettings)


class Amalgamation(OneStudent[A]):
    """A student that learns from joined logits of its teachers, and from no label.

    L = kd_weight T^2 mean_b KL(softmax([z_1; ...; z_M] / T) || softmax(z_s / T)) + further terms;
    the logits stand in the order of the student's classes.

    Attributes:
        teachers: The teachers, in the order of the pair.
        shapes: The shapes of the student's features, and of those of each teacher.
    """

    partner = Partner.PARTS
    frozen = ("teachers",)
    order: Tensor

    def __init__(self, situation: Situation, settings: A) -> None:
        """Take the student and the teachers of ``situation``.

        Raises:
            UserError: The classes of the teachers are not those of the student, each once.
        """
        super().__init__(situation, settings)
        _check_parts(situation)
        shape = situation.data.image_shape
        self.shapes = [feature_shapes(n, shape) for n in (self.student, *situation.partners)]
        self.teachers = nn.ModuleList(t.eval().requires_grad_(False) for t in situation.partners)
        places = torch.tensor([place for part in situation.parts for place in part])
        self.register_buffer("order", places.argsort(), persistent=False)
        self.weights = {"kd": settings.kd_weight}

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of ``batch``; ``teacher`` is ignored, for there are several."""
        networks = cast("list[StagedNetwork]", list(self.teachers))
        taught = [asked(network, batch) for network in networks]
        student = Outputs.of(self.student, batch.images, Side.STUDENT, unrectified=False)
        with without_casts(batch.images.device):
            target = self.joined([outputs.logits for outputs in taught])
            kd = divergence(student.logits, target, self.chosen.temperature)
            terms = {"kd": kd, **self.knowledge(student, taught)}
            total = sum(self.weights[name] * term for name, term in terms.items())
        losses = dict.fromkeys(self.players(), torch.as_tensor(total))
        return StepResult(losses, {name: x.detach() for name, x in terms.items()})

    def players(self) -> dict[str, Player]:
        """Name one player, the student."""
        return {"student": Player.of(self.student)}

    def joined(self, logits: Sequence[Tensor]) -> Tensor:
        """Join ``logits`` (B, K_m) to (B, K), in the order of the student's classes."""
        return torch.cat(list(logits), dim=1)[:, self.order]

    def knowledge(self, student: Outputs, taught: Sequence[Outputs]) -> Mapping[str, Tensor]:
        """Compute further terms of the loss, scalars, before their ``weights``; none here.

        Args:
            student: The student's outputs.
            taught: The outputs of each teacher, without gradient.
        """
        return {}


class InBlocks(Amalgamation[B]):
    """Such a system in which ``blocks`` of features learn along with the student, by one loss.

    Attributes:
        blocks: The blocks, which the subclass makes.
        recipe: How they are trained, but for their learning rate.
    """

    blocks: nn.Module
    recipe: ClassVar[AdamOptimisation]

    def players(self) -> dict[str, Player]:
        """Name two players with one loss: the student, and the blocks."""
        recipe = replace(self.recipe, lr=self.chosen.block_lr)
        return {**super().players(), "blocks": Player(list(self.blocks.parameters()), recipe)}


def same_size(maps: Sequence[Tensor]) -> list[Tensor]:
    """Average maps (B, C, H, W) to the smallest height and the smallest width among them."""
    height, width = (min(each.shape[axis] for each in maps) for axis in (2, 3))
    return [pooled(each, height, width) for each in maps]


def _check_parts(situation: Situation) -> None:
    shape = situation.data.image_shape
    ours, *theirs = (
        probe(network, shape).logits.shape[1]
        for network in (situation.student, *situation.partners)
    )
    require(
        [len(part) for part in situation.parts] == theirs,
        f"teachers of {theirs} classes do not say which of the student's {ours} they know: name "
        "variants that have classes",
    )
    known = sorted(place for part in situation.parts for place in part)
    require(
        known == list(range(ours)),
        f"the teachers know the classes {known} of the student's {ours}: divide all among them, "
        "each once",
    )
