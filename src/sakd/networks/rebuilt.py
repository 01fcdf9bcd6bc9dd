"""Students that are rebuilt with parts of their teachers before they are trained."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from torch import nn

from sakd.foundation.errors import require
from sakd.foundation.pooling import AveragePool
from sakd.networks.chain import Chain
from sakd.networks.outside.names import split_names
from sakd.networks.staged import StagedNetwork, feature_shapes, rectified_stages
from sakd.networks.zoo.blocks import conv_bn, conv_bn_relu

REDUCTION = 2
"""The projector's hidden channels are the teacher's over this (r in the paper)."""

TAIL = 2
"""The number of stages after the last map: embedding and head."""


@dataclass(frozen=True)
class Rebuilding:
    """A way to make a network from a student and its teacher, and how that network is named.

    Attributes:
        sign: One character between the names of both in the name of the rebuilt network, from
            which it can be built again. No shell gives it a meaning, and no other name has it.
        make: Makes the network from student, teacher and the shape of the images (C, H, W).
    """

    sign: str
    make: Callable[[StagedNetwork, StagedNetwork, tuple[int, ...]], StagedNetwork]

    def name(self, student: str, teacher: str) -> str:
        """Name the network rebuilt from ``student`` and ``teacher``."""
        return f"{student}{self.sign}{teacher}"

    def parts(self, name: str) -> tuple[str, str] | None:
        """Split the name of a rebuilt network into student and teacher; None for other names."""
        return split_names(name, self.sign)


class ReusedClassifier(Chain):
    """A student up to its last map, a projector, and the teacher's stages after its last map.

    Chen et al., CVPR 2022, arXiv:2203.14001, sections 3.2 and 3.3. The projector has convolutions
    1x1, 3x3 and 1x1 with batch norms and rectifiers; a larger map of the student is first
    averaged to the teacher's size. The teacher's part is a frozen copy: it is among the weights,
    requires no gradient and stays in evaluation mode.
    Differs from the paper: the projector has no last rectifier where the teacher's last map is
    not rectified; and layers between that map and the pooling (the last convolution of
    MobileNetV2) belong to the teacher's part.

    Attributes:
        reused: The names of the teacher's stages.
    """

    def __init__(
        self, student: StagedNetwork, teacher: StagedNetwork, image_shape: tuple[int, ...]
    ) -> None:
        """Share the stages of ``student`` and copy those of ``teacher``.

        Args:
            student: Its stages up to the last map are used.
            teacher: Its stages after the last map are used.
            image_shape: Of the images of both, (C, H, W).

        Raises:
            UserError: One of them has no map (C, H, W) before its embedding, or the student has a
                stage with the name of the projector or of one of the teacher's.
        """
        ours, theirs = _last_map(student, image_shape), _last_map(teacher, image_shape)
        kept = dict(list(student.stage_modules().items())[:-TAIL])
        tail = dict(list(teacher.stage_modules().items())[-TAIL:])
        taken = {"projector", *tail} & set(kept)
        require(not taken, f"the student has a stage called {', '.join(taken)}: name it otherwise")
        rectified = rectified_stages(teacher, image_shape)[-TAIL]
        between = {"projector": projector(ours, theirs, rectified=rectified)}
        super().__init__({**kept, **between, **copy.deepcopy(tail)}, family=student.family)
        self.reused = tuple(tail)
        for name in self.reused:
            self.get_submodule(name).requires_grad_(False)
        self.train(student.training)

    def train(self, mode: bool = True) -> Self:
        """Switch to training mode; the teacher's part stays in evaluation mode."""
        super().train(mode)
        for name in self.reused:
            self.get_submodule(name).eval()
        return self


def projector(
    source: tuple[int, int, int], target: tuple[int, int, int], *, rectified: bool
) -> nn.Sequential:
    """Make the layers from maps (C, H, W) of shape ``source`` to the channels of ``target``.

    Where ``target`` is smaller, maps are first averaged to its height and width.
    """
    (inputs, height, width), (outputs, *goal) = source, target
    size = min(height, goal[0]), min(width, goal[1])
    middle = max(1, outputs // REDUCTION)
    layers = [] if size == (height, width) else [AveragePool(size)]
    last = conv_bn_relu if rectified else conv_bn
    return nn.Sequential(
        *layers,
        conv_bn_relu(inputs, middle),
        conv_bn_relu(middle, middle, 3),
        last(middle, outputs),
    )


def _last_map(network: StagedNetwork, image_shape: tuple[int, ...]) -> tuple[int, int, int]:
    shape = ((), *feature_shapes(network, image_shape))[-TAIL]
    require(
        len(shape) == len("CHW"),
        f"a classifier is reused after a map (C, H, W), but before its embedding a network of "
        f"the family {network.family!r} has {shape or 'nothing'}",
    )
    channels, height, width = shape
    return channels, height, width


REUSED = Rebuilding("@", ReusedClassifier)
"""``student@teacher``: the student ends in the teacher's classifier."""
