"""First and last layers fit the data, and nothing else is touched."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torchvision.models import resnet18, squeezenet1_1

from sakd.foundation.errors import UserError
from sakd.networks import feature_shapes, stage
from sakd.networks.staging.surgery import use_small_stem

from .models import Plain


def changed(before: dict[str, torch.Tensor], model: nn.Module) -> set[str]:
    return {
        name
        for name, value in model.state_dict().items()
        if value.shape != before[name].shape or not torch.equal(value, before[name])
    }


def test_a_model_that_fits_stays_as_it_is() -> None:
    model = Plain()
    before = copy.deepcopy(model.state_dict())
    stage(model, (3, 8, 8), num_classes=3)
    assert not changed(before, model)


def test_only_the_head_is_new_for_another_number_of_classes() -> None:
    model = Plain()
    before = copy.deepcopy(model.state_dict())
    network = stage(model, (3, 8, 8), num_classes=7)
    assert changed(before, model) == {"head.1.weight", "head.1.bias"}
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 7)


def test_a_convolution_as_head_is_replaced_too() -> None:
    network = stage(squeezenet1_1(), (3, 64, 64), num_classes=7)
    assert network.get_parameter("classifier.1.weight").shape == (7, 512, 1, 1)
    assert network.depth == 5


def test_only_the_first_convolution_is_new_for_other_channels() -> None:
    model = Plain()
    before = copy.deepcopy(model.state_dict())
    network = stage(model, (1, 8, 8))
    assert changed(before, model) == {"depth.weight", "depth.bias"}
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 3)


def test_a_new_first_convolution_is_as_spread_as_the_old_one() -> None:
    model = nn.Sequential(nn.Conv2d(3, 64, 7), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    nn.init.normal_(model[0].weight, std=0.3)
    model.append(nn.Linear(64, 3))
    stage(model, (5, 8, 8))
    assert float(model[0].weight.detach().std()) == pytest.approx(0.3, rel=0.05)


def test_a_grouped_first_convolution_cannot_take_other_channels() -> None:
    model = nn.Sequential(nn.Conv2d(3, 6, 3, groups=3), nn.Flatten(), nn.Linear(6, 2))
    with pytest.raises(UserError, match="takes images of 3 channels, not 1"):
        stage(model, (1, 3, 3))


class Functional(nn.Module):
    """Its head is a function."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 4, 1)
        self.weight = nn.Parameter(torch.zeros(3, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(self.body(x).mean((2, 3)), self.weight)


def test_a_last_layer_that_cannot_be_replaced_is_named() -> None:
    with pytest.raises(UserError, match=r"Functional .* 7 logits.*num_classes"):
        stage(Functional(), (3, 2, 2), num_classes=7)


class Sliced(Plain):
    """Gives the first three of its logits."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x)[:, :3]


class TwoHeads(Plain):
    """Gives the mean of two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.other = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = super().forward(x)
        return (x + self.other(x)) / 2


@pytest.mark.parametrize("kind", [Sliced, TwoHeads])
def test_a_model_whose_last_layer_does_not_set_the_classes_is_refused(kind: type[Plain]) -> None:
    with pytest.raises(
        UserError, match=f"{kind.__name__} .* 7 logits .* last layer alone .*num_classes"
    ):
        stage(kind(), (3, 8, 8), num_classes=7)


def test_a_model_without_weights_is_refused() -> None:
    with pytest.raises(UserError, match="Flatten has no weights"):
        stage(nn.Flatten(), (3, 8, 8), num_classes=7)


def test_the_small_stem_keeps_the_resolution() -> None:
    model = resnet18(num_classes=4)
    use_small_stem(model)
    assert feature_shapes(stage(model, (3, 16, 16)), (3, 16, 16)) == [
        *((64, 16, 16), (64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2), (512,)),
    ]


def test_the_small_stem_is_for_resnets() -> None:
    with pytest.raises(UserError, match=r"small_images .* Plain"):
        use_small_stem(Plain())
