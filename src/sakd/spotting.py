"""Where the spots of a network are."""

from __future__ import annotations

import torch

from sakd.networks import StagedNetwork, TracedNetwork, build_network, feature_shapes
from sakd.networks.spots import SpotFamily

Rows = list[tuple[str, ...]]


def sketch(name: str, classes: int, image_shape: tuple[int, int, int]) -> StagedNetwork:
    """The network called ``name``, without memory for its weights where that goes.

    Raises:
        UserError: there is none, or it does not fit.
    """
    try:
        with torch.device("meta"):
            return build_network(name, num_classes=classes, image_shape=image_shape)
    except (NotImplementedError, ValueError):  # some need numbers while they are made
        return build_network(name, num_classes=classes, image_shape=image_shape)


def spots(network: StagedNetwork, classes: int, image_shape: tuple[int, int, int]) -> Rows:
    """Every stage: its name, where it ends, the shape there, the families that have a spot there.

    A family is shown where it sits if teacher and student are both ``network``.
    """
    shapes = [*feature_shapes(network, image_shape), (classes,)]
    origins = network.origins if isinstance(network, TracedNetwork) else {}
    sitting = {
        family.value: {spot.student for spot in family.spots(network.depth, network.depth)}
        for family in SpotFamily
    }
    rows: Rows = [("stage", "ends with", "shape", "spots")]
    for index, (stage, shape) in enumerate(zip(network.stage_names, shapes, strict=True)):
        families = ", ".join(family for family, places in sitting.items() if index in places)
        size = "x".join(map(str, shape))
        rows.append((stage, origins.get(stage, "-"), size, families or "-"))
    return rows
