"""Spots: the places where a student can learn from its teacher."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Spot(NamedTuple):
    """One place of distillation: a feature index in each network; the depth means the logits."""

    student: int
    teacher: int


class SpotFamily(Enum):
    """The kind of place that a distiller sees in networks, whatever their depths."""

    EVERY_STAGE = "every stage"
    EVERY_MAP = "every map"
    HINT = "hint"
    LAST_MAP = "last map"
    EMBEDDING = "embedding"
    LOGITS = "logits"
    LAST_MAP_AND_LOGITS = "last map and logits"

    @property
    def joined(self) -> tuple[SpotFamily, ...]:
        """The families that this one consists of, in order of depth; most are simple."""
        if self is SpotFamily.LAST_MAP_AND_LOGITS:
            return SpotFamily.LAST_MAP, SpotFamily.LOGITS
        return ()

    @property
    def axes(self) -> str:
        """One letter for each axis of a feature there, batch axis left out.

        The logits of a family that has them next to features are (K,) all the same.
        """
        return {SpotFamily.EMBEDDING: "C", SpotFamily.LOGITS: "K"}.get(self, "CHW")

    def spots(self, student_depth: int, teacher_depth: int) -> tuple[Spot, ...]:
        """List the spots of two networks with that many features (stem, stages, embedding).

        ``EVERY_STAGE`` pairs as many stages as both networks have, counted from the last one
        backwards; ``EVERY_MAP`` puts the pair of stems before them.
        """
        if self.joined:
            return tuple(
                s for part in self.joined for s in part.spots(student_depth, teacher_depth)
            )
        if self is SpotFamily.EVERY_MAP:
            stages = SpotFamily.EVERY_STAGE.spots(student_depth, teacher_depth)
            return (Spot(0, 0), *stages) if stages else ()
        if self is SpotFamily.EVERY_STAGE:
            count = min(student_depth, teacher_depth) - 2
            backwards = range(count + 1, 1, -1)
            return tuple(Spot(student_depth - back, teacher_depth - back) for back in backwards)
        if self is SpotFamily.HINT:
            return (Spot(min(2, student_depth - 2), min(2, teacher_depth - 2)),)
        back = {SpotFamily.LAST_MAP: 2, SpotFamily.EMBEDDING: 1, SpotFamily.LOGITS: 0}[self]
        return (Spot(student_depth - back, teacher_depth - back),)
