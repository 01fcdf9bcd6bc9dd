"""The networks have the sizes that the SAKD authors' code gives them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sakd.networks import NETWORKS, StagedNetwork

GOLDEN = Path(__file__).parents[2] / "golden" / "networks.csv"
ROWS = list(csv.DictReader(GOLDEN.read_text().splitlines()))


def count_macs(network: StagedNetwork, image: Tensor) -> int:
    """Count the multiply-accumulates of convolutions and linear layers."""
    counted = 0

    def hook(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal counted
        weight = module.get_parameter("weight")
        counted += output.numel() * weight[0].numel()

    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(hook)
    network(image)
    return counted


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['network']}-{row['size']}" for row in ROWS])
def test_parameters_multiplications_and_shapes_equal_the_authors(row: dict[str, str]) -> None:
    size = int(row["size"])
    with torch.device("meta"):
        network = NETWORKS[row["network"]](num_classes=int(row["classes"])).eval()
        image = torch.empty(1, 3, size, size)
    features = network.trace(image).features
    shapes = ["x".join(map(str, feature.shape[1:])) for feature in features]
    buffers = sum(b.numel() for b in network.buffers() if b.is_floating_point())
    assert sum(p.numel() for p in network.parameters()) == int(row["parameters"])
    assert buffers == int(row["float_buffers"])
    assert count_macs(network, image) == int(row["macs"])
    assert " ".join(shapes) == row["feature_shapes"]


def test_every_network_is_compared_at_both_sizes() -> None:
    compared = {(row["network"], row["size"]) for row in ROWS}
    assert compared == {(name, size) for name in NETWORKS for size in ("32", "64")}


@pytest.mark.parametrize("name", ["resnet8", "wrn_16_1"])
def test_other_image_channels_change_only_the_stem(name: str) -> None:
    colour, grey = NETWORKS[name](num_classes=4), NETWORKS[name](num_classes=4, in_channels=1)
    changed = {
        name
        for name, value in colour.state_dict().items()
        if value.shape != grey.state_dict()[name].shape
    }
    assert len(changed) == 1
    assert changed.pop().startswith("stem")
