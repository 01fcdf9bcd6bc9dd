"""The stages of a network and the spots at each, as a table of text."""

from __future__ import annotations

from sakd.networks import StagedNetwork, TracedNetwork, feature_shapes
from sakd.networks.spots import SpotFamily

Rows = list[tuple[str, ...]]


def spots(network: StagedNetwork, classes: int, image_shape: tuple[int, int, int]) -> Rows:
    """List the stages: name, last operation, shape of the feature, families with a spot there.

    The spots are those of ``network`` with itself as the other network.

    Args:
        network: The network to show.
        classes: The number of logits.
        image_shape: Of its images, (C, H, W).

    Raises:
        UserError: The network cannot take images of that shape.
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
