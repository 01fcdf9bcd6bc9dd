"""Rocket launching: shared convolutions, and a hint that does not move the booster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork, build_network
from sakd.networks.zoo.resnet import resnet
from sakd.systems import System
from sakd.systems.rocket import LaunchSettings, Rocket
from sakd.tasks import CLASSIFICATION

Make = Callable[..., System[Any]]
Batches = Callable[..., Batch]
Networks = Callable[..., StagedNetwork]


def weights(network: nn.Module) -> dict[str, Tensor]:
    return dict(network.named_parameters())


@pytest.mark.parametrize(
    ("light", "booster"), [("resnet8", "resnet20"), ("wrn_16_1", "wrn_40_1"), ("vgg8", "vgg8")]
)
def test_the_booster_has_the_convolutions_of_the_light_network(light: str, booster: str) -> None:
    networks = [build_network(n, num_classes=5, image_shape=(3, 32, 32)) for n in (light, booster)]
    system = Rocket(*networks, CLASSIFICATION)
    ours, theirs = weights(system.student), weights(system.booster)
    convolutions = {
        f"{name}.weight"
        for name, part in system.student.named_modules()
        if isinstance(part, nn.Conv2d)
    }
    assert {n for n in ours if n in theirs and ours[n] is theirs[n]} >= convolutions
    apart = [n for n in ours if n not in theirs or ours[n] is not theirs[n]]
    assert {"head.weight", "head.bias"} <= set(apart)


def test_the_tie_survives_a_move_and_a_checkpoint(small_system: Make) -> None:
    system = small_system("rocket").to(torch.float64)
    system.restore({name: value + 1 for name, value in system.progress().items()})
    ours, theirs = weights(system.student), weights(system.booster)
    tied = [name for name in ours if ours[name] is theirs.get(name)]
    assert "stem.0.weight" in tied
    assert "stage3.0.conv2.weight" in tied
    assert "stem.1.weight" not in tied


def test_the_hint_does_not_move_the_booster(small_system: Make, small_batch: Batches) -> None:
    batch = small_batch(3)
    gradients = []
    for gamma in (0.0, 5.0):
        system = small_system("rocket", gamma=gamma)
        loss = system(batch).losses["student"]
        own = [
            system.booster.get_parameter("head.weight"),
            system.network.get_parameter("head.weight"),
        ]
        gradients.append(torch.autograd.grad(loss, own))
    (booster, light), (hinted_booster, hinted_light) = gradients
    torch.testing.assert_close(hinted_booster, booster)
    assert not torch.allclose(hinted_light, light)


def test_networks_that_share_nothing_are_refused(small_network: Networks) -> None:
    with pytest.raises(UserError, match=r"none like 'stem\.0' .* \(4, 3, 3, 3\): .* to false"):
        Rocket(small_network(0), small_network(1, (6, 6, 8, 10)), CLASSIFICATION)
    apart = LaunchSettings(share=False)
    Rocket(small_network(0), small_network(1, (6, 6, 8, 10)), CLASSIFICATION, apart)


def test_the_booster_may_be_deeper_and_not_lighter() -> None:
    light, deep = (resnet(5, depth=depth, widths=(4, 4, 6, 8)) for depth in (8, 14))
    with pytest.raises(UserError, match=r"none like 'stage1\.1\.conv1' .* deeper"):
        Rocket(deep, light, CLASSIFICATION)
