"""The laws of staged networks, for every builder in the table."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

import sakd.networks.zoo
from sakd.foundation.errors import UserError
from sakd.networks import NETWORKS, Chain, StagedNetwork, feature_shapes

FAMILIES = {
    "resnet": "resnet",
    "ResNet": "resnet",
    "wrn": "wide_resnet",
    "vgg": "vgg",
    "MobileNet": "mobilenet",
    "ShuffleNet": "shufflenet",
}

# The stages that a rectifier closes; linear bottlenecks and shuffles do not, and of pre-activation
# blocks it begins the next stage, after a batch norm.
RECTIFIED = {
    "resnet": r"stem|stage\d",
    "ResNet": r"stem|stage\d",
    "wrn": r"stem|stage\d",
    "vgg": r"stem|stage\d",
    "MobileNet": "stem",
    "ShuffleNetV1": r"stem|stage\d",
    "ShuffleNetV2": "stem",
}

# Built otherwise than the first of their builder: with a convolution as the first stage's
# shortcut, with bottlenecks, with two convolutions in a stage.
MORE = ("resnet8x4", "wrn_16_2", "ResNet50", "vgg13")


def builder_of(entry: object) -> object:
    return entry.func if isinstance(entry, partial) else entry


FIRST = {builder_of(entry): name for name, entry in [*NETWORKS.items()][::-1]}


@pytest.fixture(scope="module", params=(*FIRST.values(), *MORE))
def name(request: pytest.FixtureRequest) -> str:
    """Name a network; all laws of one network are tested before the next one is built."""
    return str(request.param)


@pytest.fixture(scope="module")
def build(name: str) -> Callable[[], StagedNetwork]:
    """Make the builder of the network for grey images, without the weights of a wide head."""
    slim = {"hidden": 8} if name.endswith("-imagenet") else {}
    return partial(NETWORKS[name], num_classes=3, in_channels=1, **slim)


@pytest.fixture(scope="module")
def network(build: Callable[[], StagedNetwork]) -> StagedNetwork:
    """Build the network once for all its laws."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build().eval()


@pytest.fixture
def image(name: str) -> Tensor:
    """Draw a small image that the network can take."""
    size = 32 if name.endswith("-imagenet") else 8
    return torch.randn(1, 1, size, size)


@torch.no_grad()
def test_a_forward_can_be_cut_anywhere(network: StagedNetwork, image: Tensor) -> None:
    whole = network(image)
    for k in range(network.depth + 2):
        assert torch.equal(network.run(network.run(image, 0, k), k), whole)


@torch.no_grad()
def test_features_and_logits_are_the_chain_of_all_stages(
    network: StagedNetwork, image: Tensor
) -> None:
    features, logits = network.extract(image)
    assert len(features) == network.depth
    x = image
    for k, feature in enumerate(features):
        x = network.run(x, k, k + 1)
        assert torch.equal(feature, x)
    assert torch.equal(logits, network(image))


@torch.no_grad()
def test_unrectified_features_are_those_before_the_rectifiers(
    name: str, network: StagedNetwork, image: Tensor
) -> None:
    closed, unrectified = network.extract_unrectified(image)
    assert all(map(torch.equal, closed.outputs, network.extract(image).outputs))
    stages = zip(network.stage_names, unrectified.features, closed.features, strict=False)
    found = [stage for stage, before, after in stages if before is not after]
    for start, expected in RECTIFIED.items():
        if name.startswith(start):
            assert found == [s for s in network.stage_names if re.fullmatch(expected, s)]
    following = list(network.stage_modules().values())[1:]
    sides = zip(unrectified.features, closed.features, following, strict=True)
    for before, after, stage in sides:
        if name.startswith("wrn") and before is not after:
            norm = next(m for m in stage.modules() if isinstance(m, nn.BatchNorm2d))
            assert torch.equal(before, norm(after))
        else:
            assert before is after or torch.equal(before.relu(), after)


@torch.no_grad()
def test_a_state_dict_makes_the_same_network_again(
    build: Callable[[], StagedNetwork], network: StagedNetwork, image: Tensor
) -> None:
    with torch.device("meta"):
        other = build()
    other.load_state_dict(network.state_dict(), assign=True)
    assert torch.equal(network(image), other.eval()(image))


def test_every_weight_has_a_part_in_the_logits(network: StagedNetwork, image: Tensor) -> None:
    gradients = torch.autograd.grad(network(image).sum(), list(network.parameters()))
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_networks_of_one_architecture_are_of_one_family(name: str, network: StagedNetwork) -> None:
    known = [family for start, family in FAMILIES.items() if name.startswith(start)]
    assert [network.family] == (known or [network.family])
    assert network.family


def test_other_image_channels_change_only_the_stem(name: str) -> None:
    with torch.device("meta"):
        colour, grey = NETWORKS[name](num_classes=4), NETWORKS[name](num_classes=4, in_channels=1)
    shapes = {name: value.shape for name, value in grey.state_dict().items()}
    changed = {name for name, value in colour.state_dict().items() if value.shape != shapes[name]}
    assert len(changed) == 1
    assert changed.pop().startswith("stem")


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def test_every_builder_of_the_zoo_is_in_its_table() -> None:
    for module in modules_of(sakd.networks.zoo):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            here = function.__module__ == module.__name__ and not name.startswith("_")
            if here and function.__annotations__.get("return") == "StagedNetwork":
                assert function in FIRST, f"{module.__name__}.{name} is in no line of the table"


@pytest.mark.parametrize("training", [True, False])
def test_probing_feature_shapes_leaves_no_trace(
    training: bool, small_network: Callable[..., StagedNetwork]
) -> None:
    network = small_network(0).train(training)
    network.stage1.train(not training)
    modes = [module.training for module in network.modules()]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert feature_shapes(network, (3, 8, 8)) == [(4, 8, 8), (4, 8, 8), (6, 4, 4), (8, 2, 2), (8,)]
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_images_that_do_not_fit_are_named_with_their_size(
    small_network: Callable[..., StagedNetwork],
) -> None:
    network = small_network(0)
    with pytest.raises(UserError, match="1x8x8"):
        feature_shapes(network, (1, 8, 8))
    assert network.training
    with pytest.raises(UserError, match="cannot take images of 3x8x8: too many indices"):
        feature_shapes(Indexing({"stem": nn.Linear(2, 3), "head": nn.Linear(3, 4)}), (3, 8, 8))


class Indexing(Chain):
    """Raises something that torch's own layers do not."""

    def __init__(self, stages: dict[str, nn.Module]) -> None:
        super().__init__(stages, family="toy")

    def run(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        return x[0, 0, 0, 0, 0]


def test_stages_keep_their_order_and_the_head_is_no_feature() -> None:
    stages = {"stem": nn.Linear(2, 3), "embedding": nn.Tanh(), "head": nn.Linear(3, 4)}
    network = Chain(stages, family="toy")
    assert (network.stage_names, network.depth) == (("stem", "embedding", "head"), 2)
