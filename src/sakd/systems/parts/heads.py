"""Classifiers on the maps between the stages of a student."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sakd.data import Batch
from sakd.foundation.errors import require
from sakd.networks import StagedNetwork, probe
from sakd.objectives import Outputs, Settings
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.learner import Learner
from sakd.systems.parts.view import View

S = TypeVar("S", bound=Settings)

Shape = tuple[int, ...]
MAP = 3
"""Axes of a map (C, H, W)."""
FEWEST = 2
"""Stages that a student needs, so that one of them is not the last."""


class Head(nn.Module):
    """A classifier of a map: a mask of attention, a double convolution per stage that is left.

    As in the journal's code of BYOT's authors.
    """

    def __init__(self, shapes: Sequence[Shape], classes: int) -> None:
        """Classify maps of the first of ``shapes``.

        Args:
            shapes: (C, H, W) of the map, and of those of the stages after it.
            classes: K.
        """
        super().__init__()
        width, depth = shapes[0][0], shapes[-1][0]
        self.mask = Mask(width)
        self.layers = nn.Sequential(*(double_convolution(*pair) for pair in pairwise(shapes)))
        self.classifier = nn.Linear(depth, classes)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Map maps (B, C, H, W) to logits (B, K) and to the pooled feature (B, D) under them."""
        pooled = self.layers(self.mask(maps)).mean(dim=(2, 3))
        return self.classifier(pooled), pooled


class Mask(nn.Module):
    """Weighs each element of a map by a number between 0 and 1."""

    def __init__(self, width: int) -> None:
        """Weigh maps of ``width`` channels."""
        super().__init__()
        self.layers = nn.Sequential(*separable(width, width, stride=2), nn.ReLU())

    def forward(self, maps: Tensor) -> Tensor:
        """Weigh ``maps`` (B, C, H, W)."""
        coarse = self.layers(maps)
        size = maps.shape[2:]
        weights = interpolate(coarse, size=size, mode="bilinear", align_corners=False).sigmoid()
        return maps * weights


def separable(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """Make a 3x3 convolution of each channel, one 1x1 across channels, and a batch norm."""
    return [
        nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    ]


def double_convolution(shape: Shape, after: Shape) -> nn.Sequential:
    """Make two separable convolutions from maps of ``shape`` (C, H, W) to those of the stage after.

    The first halves the size where that stage has smaller maps.
    """
    stride = 2 if after[1] < shape[1] else 1
    first = [*separable(shape[0], shape[0], stride), nn.ReLU()]
    return nn.Sequential(*first, *separable(shape[0], after[0], 1), nn.ReLU())


def stage_shapes(student: StagedNetwork, image_shape: Shape) -> list[Shape]:
    """Give the shapes (C, H, W) of the maps after the stages of ``student``, without its stem.

    Raises:
        UserError: A stage does not give maps, or there are fewer than two.
    """
    shapes = [tuple(x.shape[1:]) for x in probe(student, image_shape).features][1:-1]
    for name, shape in zip(student.stage_names[1:], shapes, strict=False):
        require(
            len(shape) == MAP,
            f"stage {name!r} gives features of shape {shape}, and heads need maps (C, H, W): take "
            "a convolutional student",
        )
    require(
        len(shapes) >= FEWEST,
        f"the student has {len(shapes)} stage{'' if len(shapes) == 1 else 's'} of maps, and heads "
        "belong after all but the last: take one of two or more",
    )
    return shapes


class WithHeads(Learner[S], Generic[S]):
    """A learner with a head after each stage but the last, whose head is the student's own.

    The stem has none. What the terms are computed of is the logits of all, the student's last, then
    the pooled features under them, likewise.
    """

    partner = Partner.NONE

    def __init__(self, situation: Situation, settings: S) -> None:
        """Make heads for the student of ``situation``.

        Raises:
            UserError: Its stages give no maps.
        """
        super().__init__(situation, settings)
        shape = situation.data.image_shape
        shapes = stage_shapes(self.student, shape)
        classes = probe(self.student, shape).logits.shape[1]
        self.heads = nn.ModuleList(Head(shapes[k:], classes) for k in range(len(shapes) - 1))
        self.width = shapes[-1][0]

    def seen(self, batch: Batch, teacher: Outputs | None) -> Sequence[Tensor]:
        """Give the logits (B, K) and the features (B, D) of all heads, the student's own last."""
        return self._answers(batch.images)

    def _answers(self, images: Tensor) -> list[Tensor]:
        features, logits = self.student.extract(images)
        given = [head(maps) for head, maps in zip(self.heads, features[1:], strict=False)]
        shallow, pooled = ([one[place] for one in given] for place in range(2))
        return [*shallow, logits, *pooled, self.task.embedding(features)]

    def further_networks(self) -> dict[str, nn.Module]:
        """Name the heads, and the mean of the logits of all, the student's among them."""
        count = len(self.heads)

        def head(place: int) -> nn.Module:
            return View(self, lambda images: self._answers(images)[place])

        def together(images: Tensor) -> Tensor:
            return torch.stack(self._answers(images)[: count + 1]).mean(dim=0)

        heads = {f"head{place + 1}": head(place) for place in range(count)}
        return {**heads, "ensemble": View(self, together)}
