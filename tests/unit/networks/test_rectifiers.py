"""The input of the rectifier that closes or opens a piece of a forward pass is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sakd.networks import Chain, StagedNetwork, stage
from sakd.networks.rectifiers import RectifierWatch
from sakd.networks.staged import rectified_stages
from sakd.networks.zoo.blocks import GlobalAveragePool

Piece = Callable[[Tensor], Tensor]

CLOSED: dict[str, Piece] = {
    "module": nn.ReLU(),
    "module in place": nn.ReLU(inplace=True),
    "module capped at 6": nn.ReLU6(),
    "module capped at 6 in place": nn.ReLU6(inplace=True),
    "function": F.relu,
    "function by keyword": lambda x: F.relu(input=x, inplace=True),
    "function in place": torch.relu_,
    "function capped at 6": F.relu6,
    "method": Tensor.relu,
    "method in place": Tensor.relu_,
    "chain": nn.Sequential(nn.ReLU(), nn.BatchNorm2d(2), nn.ReLU(), nn.Identity()),
}


def overwritten(x: Tensor) -> Tensor:
    y = x.relu()
    y += 1
    return y


OPEN: dict[str, Piece] = {
    "nothing": lambda x: x,
    "a layer": nn.Conv2d(2, 2, 1),
    "a sum of rectified": lambda x: x.relu() + x.relu(),
    "a concatenation": lambda x: torch.cat([x.relu(), x.relu()], dim=1),
    "overwritten": overwritten,
    "a rectifier whose output is not the end": lambda x: (x.relu(), 2 * x)[1],
    "another activation": nn.SiLU(),
    "a hard tanh": nn.Hardtanh(),
    "a norm without rectifier": nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1)),
    "a norm of something else": lambda x: nn.BatchNorm2d(2)(2 * x).relu() + x,
    "a rectifier before a norm": nn.Sequential(nn.ReLU(), nn.BatchNorm2d(2)),
}


@pytest.mark.parametrize("name", CLOSED)
def test_a_closing_rectifier_is_found_however_it_is_written(name: str) -> None:
    piece, x = CLOSED[name], 4 * torch.randn(3, 2, 4, 4)
    plain = piece(x.clone())
    with RectifierWatch(x) as watch:
        output = piece(x.clone())
    before = watch.before(output)
    assert torch.equal(output, plain)
    assert (before < 0).any()
    capped = output.max() if "capped" in name else before.max()
    assert torch.equal(before.clamp(torch.zeros(()), capped), output)


@pytest.mark.parametrize("name", OPEN)
def test_a_piece_that_no_rectifier_closes_keeps_its_output(name: str) -> None:
    x = torch.randn(3, 2, 4, 4)
    with RectifierWatch(x) as watch:
        output = OPEN[name](x)
    assert watch.before(output) is output
    assert watch.opening is None
    assert torch.equal(output, OPEN[name](x))


@pytest.mark.parametrize("inplace", [False, True])
def test_the_gradient_comes_from_before_the_rectifier(inplace: bool) -> None:
    x = torch.randn(3, 2, 4, 4, requires_grad=True)
    with RectifierWatch(x) as watch:
        output = F.relu(3 * x, inplace=inplace)
    before = watch.before(output)
    (through,) = torch.autograd.grad(before.sum(), x, retain_graph=True)
    assert torch.equal(through, torch.full_like(x, 3))
    (stopped,) = torch.autograd.grad(output.sum(), x)
    assert torch.equal(stopped, 3 * (x > 0).float())


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_a_feature_that_the_next_stage_norms_and_rectifies_is_shown_after_the_norm(
    inplace: bool, training: bool
) -> None:
    norm = nn.BatchNorm2d(4)
    nn.init.normal_(norm.weight)
    stages = {
        "stem": nn.Conv2d(3, 4, 3),
        "stage1": nn.Sequential(norm, nn.ReLU(inplace), nn.Conv2d(4, 6, 1), nn.ReLU(inplace)),
        "embedding": nn.Sequential(nn.BatchNorm2d(6), nn.ReLU(inplace), GlobalAveragePool()),
        "head": nn.Linear(6, 3),
    }
    network = Chain(stages, family="toy").train(training)
    closed, unrectified = network.extract_unrectified(torch.randn(4, 3, 8, 8))
    torch.testing.assert_close(unrectified.features[0], norm(closed.features[0]))
    assert torch.equal(unrectified.features[1].relu(), closed.features[1])
    assert (unrectified.features[1] < 0).any()
    assert unrectified.features[2] is closed.features[2]
    assert rectified_stages(network, (3, 8, 8)) == [False, True, False]


class Residual(nn.Module):
    """A block as torchvision writes them: one rectifier in place, used twice."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv1(x))
        y = self.conv2(x)
        y += x
        return self.relu(y)


def cut() -> StagedNetwork:
    blocks = Residual(3, 4), Residual(4, 6), nn.Conv2d(6, 8, 1)
    model = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
    return stage(model, (3, 8, 8), stages=["0", "1", "2"])


def test_features_of_traced_stages_are_found_before_their_rectifiers(
    small_network: Callable[..., StagedNetwork],
) -> None:
    for network, ends in ((cut(), [True, True, False, False]), (small_network(0), [True] * 4)):
        x = torch.randn(2, 3, 8, 8)
        names = set(network.state_dict())
        expected = network.eval().extract(x)
        closed, unrectified = network.extract_unrectified(x)
        assert all(map(torch.equal, closed.outputs, expected.outputs))
        for before, after, end in zip(unrectified.features, closed.features, ends, strict=False):
            assert torch.equal(before.relu() if end else before, after)
            assert (before < 0).any() or not end
        assert unrectified.logits is closed.logits
        assert set(network.state_dict()) == names
