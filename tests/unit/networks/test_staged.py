"""The laws of staged networks, for every network in the table."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType

import pytest
import torch
from torch import nn

import sakd.networks
from sakd.errors import UserError
from sakd.networks import NETWORKS, StagedNetwork, feature_shapes


@pytest.mark.parametrize("name", NETWORKS)
def test_a_forward_can_be_cut_anywhere(name: str) -> None:
    network = NETWORKS[name](num_classes=3).eval()
    x = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        whole = network(x)
        for k in range(network.depth + 2):
            assert torch.equal(network.run(network.run(x, 0, k), k), whole)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_trace_is_the_chain_of_all_cuts(name: str) -> None:
    network = NETWORKS[name](num_classes=3, in_channels=1).eval()
    x = torch.randn(1, 1, 8, 8)
    with torch.no_grad():
        features, logits = network.trace(x)
        assert len(features) == network.depth
        for k, feature in enumerate(features):
            assert torch.equal(feature, network.run(x, 0, k + 1))
        assert torch.equal(logits, network(x))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_state_dict_makes_the_same_network_again(name: str) -> None:
    network, other = NETWORKS[name](num_classes=3), NETWORKS[name](num_classes=3)
    other.load_state_dict(network.state_dict())
    x = torch.randn(1, 3, 8, 8)
    with torch.no_grad():
        assert torch.equal(network.eval()(x), other.eval()(x))


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def test_every_network_builder_in_the_package_is_in_the_table() -> None:
    built = {entry.func if isinstance(entry, partial) else entry for entry in NETWORKS.values()}
    for module in modules_of(sakd.networks):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            here = function.__module__ == module.__name__ and not name.startswith("_")
            if here and function.__annotations__.get("return") == "StagedNetwork":
                assert function in built, f"{module.__name__}.{name} is in no line of the table"


@pytest.mark.parametrize("training", [True, False])
def test_probing_feature_shapes_leaves_no_trace(
    training: bool, small_network: Callable[..., StagedNetwork]
) -> None:
    network = small_network(0).train(training)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert feature_shapes(network, (3, 8, 8)) == [(4, 8, 8), (4, 8, 8), (6, 4, 4), (8, 2, 2), (8,)]
    assert network.training == training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_images_that_do_not_fit_are_named_with_their_size(
    small_network: Callable[..., StagedNetwork],
) -> None:
    network = small_network(0)
    with pytest.raises(UserError, match="1x8x8"):
        feature_shapes(network, (1, 8, 8))
    assert network.training


def test_stages_keep_their_order_and_the_head_is_no_feature() -> None:
    stages = {"stem": nn.Linear(2, 3), "embedding": nn.Tanh(), "head": nn.Linear(3, 4)}
    network = StagedNetwork(stages, family="toy")
    assert (network.stage_names, network.depth) == (("stem", "embedding", "head"), 2)
