"""The networks have the sizes that the SAKD authors' code gives them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from sakd.foundation.errors import UserError
from sakd.networks import NETWORKS, feature_shapes

GOLDEN = Path(__file__).parents[1] / "golden" / "networks.csv"
ROWS = list(csv.DictReader(GOLDEN.read_text().splitlines()))


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['network']}-{row['size']}" for row in ROWS])
def test_parameters_multiplications_and_shapes_equal_the_authors(row: dict[str, str]) -> None:
    size = int(row["size"])
    with torch.device("meta"):
        network = NETWORKS[row["network"]](num_classes=int(row["classes"])).eval()
        image = torch.empty(1, 3, size, size)
    with FlopCounterMode(display=False) as counter:  # as sakd.measures.cost counts
        features = network.extract(image).features
    shapes = ["x".join(map(str, feature.shape[1:])) for feature in features]
    buffers = sum(b.numel() for b in network.buffers() if b.is_floating_point())
    assert sum(p.numel() for p in network.parameters()) == int(row["parameters"])
    assert buffers == int(row["float_buffers"])
    assert counter.get_total_flops() == 2 * int(row["macs"])
    assert " ".join(shapes) == row["feature_shapes"]


def test_every_network_of_the_authors_is_there_and_compared_at_both_sizes() -> None:
    compared = [(row["network"], row["size"]) for row in ROWS]
    names = {name for name, _ in compared}
    assert sorted(compared) == sorted((name, size) for name in names for size in ("32", "64"))
    assert names <= set(NETWORKS)


def test_images_too_small_for_a_vgg_of_imagenet_are_named_with_their_size() -> None:
    with torch.device("meta"):
        network = NETWORKS["vgg8-imagenet"](num_classes=2)
    assert feature_shapes(network, (3, 32, 32))[-1] == (25088,)
    with pytest.raises(UserError, match="3x16x16"):
        feature_shapes(network, (3, 16, 16))
