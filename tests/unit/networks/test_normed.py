"""Which batch norm alone takes the outputs of a convolution."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from sakd.networks import Chain, StagedNetwork
from sakd.networks.normed import folded, normed_convolutions
from sakd.networks.zoo.blocks import GlobalAveragePool
from unit.normed_networks import IMAGE, built


class Block(nn.Module):
    """A convolution, a batch norm, and what further happens to the outputs of the first."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)).relu()


class Shared(Block):
    def forward(self, x: Tensor) -> Tensor:
        given = self.conv(x)
        return self.norm(given) + 0.1 * given


class Twice(Block):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) + self.norm(self.conv(x.flip(-1)))


class Rectified(Block):
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x).relu())


class Norms(Block):
    """A convolution with two norms."""

    def __init__(self, inputs: int) -> None:
        super().__init__(inputs)
        self.other = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        given = self.conv(x)
        return self.norm(given) * self.other(given)


def network(first: nn.Module, second: nn.Module) -> Chain:
    stages = {"first": first, "second": second, "pool": GlobalAveragePool()}
    return Chain(stages | {"head": nn.Linear(4, 5)}, family="made").eval()


def names(network: StagedNetwork) -> dict[str, str]:
    known = {module: name for name, module in network.named_modules()}
    found = normed_convolutions(network, IMAGE)
    return {known[convolution]: known[norm] for convolution, norm in found.items()}


def test_pairs_are_found_in_the_order_in_which_they_run() -> None:
    found = names(network(Block(3), Block(4)))
    assert list(found.items()) == [("first.conv", "first.norm"), ("second.conv", "second.norm")]


@pytest.mark.parametrize("kind", [Shared, Twice, Rectified, Norms])
def test_others_that_take_an_output_keep_it(kind: type[Block]) -> None:
    assert names(network(kind(3), Block(4))) == {"second.conv": "second.norm"}


def test_a_norm_of_the_next_stage_takes_a_feature() -> None:
    norm = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU())
    assert names(network(nn.Conv2d(3, 4, 3), norm)) == {}


def test_a_convolution_of_two_stages_is_left() -> None:
    block = Block(3)
    other = nn.Sequential(nn.Conv2d(4, 3, 1), block)
    assert names(network(block, other)) == {}


def test_blocks_that_begin_with_a_norm_have_one_pair() -> None:
    found = names(built("wrn_16_1"))
    assert found["stage1.0.conv1"] == "stage1.0.bn2"
    assert "stage1.0.conv2" not in found
    assert "stem" not in found


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_weights_of_other_types_are_tried_as_well(kind: torch.dtype) -> None:
    assert names(network(Block(3), Shared(4)).to(kind)) == {"first.conv": "first.norm"}


def test_small_outputs_count_too() -> None:
    small = network(Block(3), Shared(4))
    with torch.no_grad():
        for name, weights in small.named_parameters():
            weights.mul_(1e-6 if "conv" in name else 1)
            weights.add_(1 if "norm" in name else 0)
    assert names(small) == {"first.conv": "first.norm"}


def test_the_network_stays_as_it_is() -> None:
    tried = network(Block(3), Block(4)).train()
    before = {name: value.clone() for name, value in tried.state_dict().items()}
    drawn = torch.get_rng_state()
    normed_convolutions(tried, IMAGE)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert all(torch.equal(value, before[name]) for name, value in tried.state_dict().items())
    assert all(module.training for module in tried.modules())
    hooks = [(m._forward_hooks, m._forward_pre_hooks) for m in tried.modules()]
    assert not any(any(each) for each in hooks)


def test_one_convolution_gives_what_both_gave() -> None:
    block, images = network(Block(3), Block(4)).first.double(), torch.randn(2, *IMAGE).double()
    block.norm.running_mean.normal_()
    nn.init.normal_(block.norm.weight)
    weight, bias = folded(block.conv, block.norm)
    given = nn.functional.conv2d(images, weight, bias, padding=1)
    torch.testing.assert_close(given, block.norm(block.conv(images)))
