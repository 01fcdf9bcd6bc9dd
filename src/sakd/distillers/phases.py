"""Phases into which a distiller divides the training of its student."""

from __future__ import annotations

from typing import NamedTuple

from sakd.networks.spots import Spot


class PhasePlan(NamedTuple):
    """A part of a training, as a distiller wants it.

    Attributes:
        name: What messages call it.
        share: Its share of the epochs, in proportion to those of the other phases.
        spots: The distiller's spots that count in it; without any its teacher takes no part.
        stages: The student's stages that are trained, the others are frozen and in evaluation
            mode; None for all.
        labels: Whether the label loss counts, with weight 1.
    """

    name: str
    share: float
    spots: tuple[Spot, ...] = ()
    stages: range | None = None
    labels: bool = True
