"""Show the stages of a network, and the spots at each."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

from sakd.command.listing import Rows, aligned
from sakd.command.parser import Parser
from sakd.networks import StagedNetwork, TracedNetwork, feature_shapes
from sakd.networks.outside.names import FORMS
from sakd.networks.spots import SpotFamily
from sakd.study.networks import sketch

Shape = tuple[int, int, int]

LARGEST = 20_000
"""Of a size in pixels or channels."""

MOST_CLASSES = 1_000_000


def run(arguments: Sequence[str]) -> None:
    """Print the table of a network's spots.

    Raises:
        UserError: There is no such network, or it cannot take images of that shape.
    """
    parser = Parser("spots", __doc__)
    parser.add_argument("network", help="a name of the zoo, or " + FORMS)
    parser.add_argument("--input", type=_shape, default=(3, 32, 32), metavar="3x224x224")
    parser.add_argument("--classes", type=_count, default=10, metavar="K")
    given = parser.parse_args(arguments)
    network = sketch(given.network, given.classes, given.input)
    count = sum(parameter.numel() for parameter in network.parameters())
    head = f"{given.network}: {network.family}, {count:,} parameters\n"
    sys.stdout.write(head + aligned(spots(network, given.classes, given.input)))


def spots(network: StagedNetwork, classes: int, image_shape: Shape) -> Rows:
    """List the stages: name, last operation, shape of the feature, simple families there.

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
        if not family.joined
    }
    rows: Rows = [("stage", "ends with", "shape", "spots")]
    for index, (stage, shape) in enumerate(zip(network.stage_names, shapes, strict=True)):
        families = ", ".join(family for family, places in sitting.items() if index in places)
        size = "x".join(map(str, shape))
        rows.append((stage, origins.get(stage, "-"), size, families or "-"))
    return rows


def _shape(text: str) -> Shape:
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)x([1-9]\d*)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write CxHxW, as in 3x224x224")
    channels, height, width = map(int, found.groups())
    if max(channels, height, width) > LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is too large; allowed: up to {LARGEST:,} each")
    return channels, height, width


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,6}", text) or int(text) > MOST_CLASSES:
        allowed = f"write 1 to {MOST_CLASSES:,}"
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of classes; {allowed}")
    return int(text)
