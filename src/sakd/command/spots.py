"""Where the spots of a network are."""

from __future__ import annotations

from sakd.networks import StagedNetwork, TracedNetwork, feature_shapes
from sakd.networks.spots import SpotFamily

Rows = list[tuple[str, ...]]


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
