"""Tails, ramps and views: the pieces of systems with several branches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from sakd.foundation.errors import UserError
from sakd.networks import Chain, StagedNetwork, build_network
from sakd.systems.parts.ramp import Ramp, RampSettings
from sakd.systems.parts.tails import last_stage, tail
from sakd.systems.parts.vectors import vector, width
from sakd.systems.parts.view import View


@pytest.mark.parametrize(
    "name", ["resnet8", "wrn_16_1", "vgg8", "MobileNetV2_x0_5", "torchvision:resnet18"]
)
def test_a_trunk_and_its_tail_are_the_network(name: str) -> None:
    network = build_network(name, num_classes=5, image_shape=(3, 32, 32)).eval()
    images = torch.randn(2, 3, 32, 32)
    cut = last_stage(network)
    with torch.no_grad():
        whole, shared = network.extract(images), network.run(images, 0, cut)
        for part in (tail(network, cut).eval().extract(shared), network.extract(shared, cut)):
            torch.testing.assert_close(part.logits, whole.logits)
            assert len(part.features) == 2
            for found, expected in zip(part.features, whole.features[cut:], strict=True):
                torch.testing.assert_close(found, expected)


def test_branches_need_a_stage_to_share() -> None:
    network = Chain(
        {"stage1": nn.Flatten(), "embedding": nn.Identity(), "head": nn.Linear(4, 2)}, family="flat"
    )
    with pytest.raises(UserError, match=r"stage1, embedding, head has none .* take one with 4"):
        last_stage(network)


@pytest.mark.parametrize(
    ("share", "weights"),
    [(80 / 300, (0.0067, 0.0601, 0.2865, 0.7316, 1.0, 1.0)), (0.0, (1.0,) * 6)],
)
def test_the_weight_rises_from_almost_0_to_1(share: float, weights: tuple[float, ...]) -> None:
    ramp, place = Ramp(share), None
    for epoch, weight in zip((0, 20, 40, 60, 80, 299), weights, strict=True):
        ramp.begin(epoch, 300)
        assert float(ramp(torch.tensor(1.0))) == pytest.approx(weight, abs=5e-5)
        assert place in (None, ramp.weight.data_ptr()), "a recorded step reads the present value"
        place = ramp.weight.data_ptr()


def test_a_ramp_is_a_part_of_the_epochs() -> None:
    with pytest.raises(UserError, match=r"ramp is a part of the epochs .* got 80"):
        RampSettings(ramp=80)


@pytest.mark.parametrize("shape", [(7, 3, 2), (5, 7), (7,)])
def test_features_of_any_shape_become_vectors(shape: tuple[int, ...]) -> None:
    found = vector(torch.ones(2, *shape))
    assert found.shape == (2, 7)
    assert width(shape) == 7
    torch.testing.assert_close(found, torch.ones(2, 7))


def test_a_view_has_the_mode_of_what_it_looks_at(
    small_network: Callable[..., StagedNetwork],
) -> None:
    network = small_network(0)
    seen = View(network, lambda images: 2 * network(images)).eval()
    assert not network.training
    images = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(seen(images), 2 * network(images))
