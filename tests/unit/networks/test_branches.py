"""Networks with branches, by their names: the mean of whole networks on one trunk."""

from __future__ import annotations

import pytest
import torch

from sakd.foundation.errors import UserError
from sakd.networks import Chain, build_network, feature_shapes
from sakd.networks.branches import WithBranches
from sakd.networks.code import network_code
from sakd.networks.variants import slug

IMAGE = (3, 16, 16)
KINDS = ("resnet8", "wrn_16_1", "vgg8", "MobileNetV2", "ShuffleNetV2", "ResNet18")


def built(name: str) -> WithBranches:
    torch.manual_seed(0)
    network = build_network(name, num_classes=5, image_shape=IMAGE).eval()
    assert isinstance(network, WithBranches)
    return network


@pytest.mark.parametrize("kind", KINDS)
def test_the_logits_are_the_mean_of_those_of_branches_on_one_trunk(kind: str) -> None:
    network, images = built(f"{kind}(branches=3)"), torch.randn(2, *IMAGE)
    plain = build_network(kind, num_classes=5, image_shape=IMAGE)
    assert network.stage_names == plain.stage_names
    with torch.no_grad():
        shared = network.run(images, 0, network.cut)
        each = [branch(shared) for branch in network.branches()]
        torch.testing.assert_close(network(images), torch.stack(each).mean(dim=0))
        for cut in range(1, len(network.stage_names)):
            torch.testing.assert_close(
                network.run(network.run(images, 0, cut), cut), network(images)
            )
    assert not torch.equal(each[0], each[1])
    widths = [shape[0] for shape in feature_shapes(plain, IMAGE)]
    wide = [*widths[:-2], 3 * widths[-2], 3 * widths[-1]]
    assert [shape[0] for shape in feature_shapes(network, IMAGE)] == wide


def test_branches_share_the_weights_of_the_network() -> None:
    network = built("resnet8(branches=2)")
    names = [name for name, _ in network.named_parameters() if name.startswith("stage3")]
    assert {name.split(".")[1] for name in names} == {"0", "1"}
    held = {id(p) for p in network.parameters()}
    branches = network.branches()
    assert all(id(p) in held for branch in branches for p in branch.parameters())
    assert len(branches) == 2


def test_all_branches_count() -> None:
    plain = build_network("resnet8", num_classes=5, image_shape=IMAGE)
    trunk = Chain(dict(list(plain.stage_modules().items())[:-3]), family="trunk")
    whole, part = (sum(p.numel() for p in one.parameters()) for one in (plain, trunk))
    network = built("resnet8(branches=3)")
    assert sum(p.numel() for p in network.parameters()) == part + 3 * (whole - part)


def test_they_may_be_narrower_too_and_have_the_code_of_their_family() -> None:
    narrow = built("resnet8(keep=0.5; branches=2)")
    assert narrow.get_submodule("stage3.1.0.conv1").out_channels == 32
    assert slug("resnet20/resnet8(branches=2)") == "resnet20_to_resnet8_branches_2"
    code, plain = network_code("resnet8(branches=2)"), network_code("resnet8")
    assert plain.items() <= code.items()
    assert "sakd.networks.branches" in code


@pytest.mark.parametrize("branches", ["1", "0", "101", "2.5", "'a'", "null"])
def test_too_few_and_too_many_are_refused(branches: str) -> None:
    with pytest.raises(UserError, match="branches must be a whole number from 2 to 100, got"):
        built(f"resnet8(branches={branches})")


def test_there_must_be_a_trunk() -> None:
    layers = {"a": torch.nn.Flatten(), "b": torch.nn.Identity(), "head": torch.nn.Linear(192, 8)}
    with pytest.raises(UserError, match="a network of the stages a, b, head has none"):
        WithBranches([Chain(layers, family="flat")] * 2)
