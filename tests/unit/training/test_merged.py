"""Batch norms of a frozen network run as part of its convolutions: what both give."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from unittest import mock

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sakd.networks import Chain, StagedNetwork
from sakd.networks.watched import watched
from sakd.objectives import SpotDistillation
from sakd.training import EXACT, Precision
from sakd.training.evaluated import lay_norms_out
from sakd.training.merged import Merging, merge_norms
from unit.normed_networks import IMAGE, built

LAST = Precision(channels_last=True)
HALF = Precision(torch.bfloat16, channels_last=True)
Objectives = Callable[..., SpotDistillation]


def norms_of(network: StagedNetwork, x: Tensor) -> int:
    """Count the batch norms that run by themselves."""
    watched_norm = mock.patch.object(functional, "batch_norm", wraps=functional.batch_norm)
    with watched_norm as norms, torch.no_grad():
        network(x)
    return norms.call_count


def images(count: int = 4) -> Tensor:
    drawn = torch.randn(count, *IMAGE, generator=torch.Generator().manual_seed(1))
    return drawn.contiguous(memory_format=torch.channels_last)


def frozen(name: str) -> StagedNetwork:
    return built(name).requires_grad_(False).to(memory_format=torch.channels_last)


def merged(network: StagedNetwork) -> StagedNetwork:
    lay_norms_out(network, [network])
    merge_norms([network])
    network(images())
    return network


def results(network: StagedNetwork, x: Tensor) -> list[Tensor]:
    """All features and logits, and the gradient of the second stage's input."""
    with torch.no_grad():
        found = list(network.extract(x).outputs)
    middle = found[0].detach().requires_grad_()
    logits = network.run(middle, 1).float()
    return [*found, *torch.autograd.grad(logits.square().sum(), middle)]


def far(found: Tensor, wanted: Tensor) -> float:
    return float((found.double() - wanted.double()).norm() / wanted.double().norm())


@pytest.mark.parametrize(("name", "alone"), [("resnet8", 0), ("vgg8", 0), ("wrn_16_1", 7)])
def test_features_and_gradients_are_those_of_both(name: str, alone: int) -> None:
    network, x = frozen(name), images()
    wanted = results(copy.deepcopy(network).double(), x.double())
    laid = merged(network)
    found = results(laid, x)
    assert norms_of(laid, x) == alone
    assert all(far(a, b) < 1e-5 for a, b in zip(found, wanted, strict=True))
    assert laid.state_dict().keys() == built(name).state_dict().keys()


def test_casts_hold_for_both_as_for_each() -> None:
    network, x = frozen("resnet8"), images(64)
    wanted = results(copy.deepcopy(network).double(), x.double())
    laid = merged(network)
    with torch.autocast("cpu", torch.bfloat16):
        found = results(laid, x)
        assert norms_of(laid, x) == 0
    assert all(far(a, b) < 0.02 for a, b in zip(found[:-1], wanted[:-1], strict=True))
    assert far(found[-1], wanted[-1]) < 0.2  # rectifiers near zero open or close; 0.1 without
    assert found[-2].dtype == torch.bfloat16


@pytest.mark.parametrize("part", ["stem.0.weight", "stem.1.weight", "stem.1.running_mean"])
def test_weights_that_change_after_all_count_at_once(part: str) -> None:
    laid, x = merged(frozen("resnet8")), images()
    before = laid(x)
    with torch.no_grad():
        laid.state_dict()[part].add_(0.5)
    plain = frozen("resnet8")
    plain.load_state_dict(laid.state_dict())
    assert far(laid(x), before) > 0.01
    assert far(laid(x), plain(x)) < 1e-5


def test_nothing_is_merged_where_somebody_trains_or_looks() -> None:
    laid, x = merged(frozen("resnet8")), images()
    plain = frozen("resnet8")
    laid.requires_grad_(True)
    assert norms_of(laid, x) == 9
    laid.requires_grad_(False)
    for training in (True, False):
        assert norms_of(laid.train(training), x) == 9 * training
    laid.load_state_dict(plain.state_dict())
    seen: list[Tensor] = []
    for network in (laid, plain):
        with watched(network, "stage1.0.conv1", seen.append):
            network(x)
    assert far(*seen) < 1e-5


def test_layers_by_themselves_are_as_ever() -> None:
    laid, x = merged(frozen("resnet8")), images()
    plain, layer = frozen("resnet8").get_submodule("stem.0"), laid.get_submodule("stem.0")
    assert torch.equal(layer(x), plain(x))
    assert torch.equal(copy.deepcopy(layer)(x), plain(x))
    with laid.uncompiled():
        assert norms_of(laid, x) == 9


def test_other_weights_and_subclasses_stay() -> None:
    lay_norms_out(double := frozen("resnet8").double())
    merge_norms([double])
    double(images().double())
    assert norms_of(double, images().double()) == 9

    class Own(nn.Conv2d):
        pass

    stages = {"stem": nn.Sequential(Own(3, 4, 3), nn.BatchNorm2d(4)), "pool": nn.Flatten()}
    network = Chain(stages | {"head": nn.Linear(144, 5)}, family="made").eval()
    assert norms_of(merged(network.requires_grad_(False)), images()) == 1


def test_copies_and_pickles_are_independent() -> None:
    laid, x = merged(frozen("resnet8")), images()
    wanted = laid(x)
    for other in (copy.deepcopy(laid), pickle.loads(pickle.dumps(laid))):
        assert torch.equal(other(x), wanted)
        assert norms_of(other, x) == 0
        with torch.no_grad():
            other.get_submodule("stem.0").get_parameter("weight").zero_()
        assert torch.equal(laid(x), wanted)


class Failing(nn.Module):
    """A convolution and its norm; between them an error, where one is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.fails = False

    def forward(self, x: Tensor) -> Tensor:
        given = self.conv(x)
        if self.fails:
            raise RuntimeError("now")
        normed: Tensor = self.norm(given)
        return normed.flatten(1)


def test_an_error_between_both_leaves_nothing_behind() -> None:
    stem = Failing()
    nn.init.uniform_(stem.norm.weight, 2, 3)
    network = Chain({"stem": stem, "head": nn.Linear(144, 5)}, family="made").eval()
    laid, maps = merged(network.requires_grad_(False)), torch.randn(2, 4, 6, 6)
    wanted = stem.norm(maps)
    stem.fails = True
    with pytest.raises(RuntimeError, match="now"):
        laid(images())
    assert torch.equal(stem.norm(maps), wanted)
    assert not torch.equal(wanted, maps)


def test_the_first_images_draw_nothing_and_may_come_in_inference() -> None:
    network, drawn = frozen("resnet8"), torch.get_rng_state()
    lay_norms_out(network, [network])
    merge_norms([network])
    with torch.inference_mode():
        network(images())
    network(images())
    assert norms_of(network, images()) == 0
    assert torch.equal(torch.get_rng_state(), drawn)
    assert len(results(network, images())) == 7


def test_only_frozen_networks_are_merged(small_objective: Objectives) -> None:
    for precision in (EXACT, Precision(torch.bfloat16), Precision(compiled=True)):
        objective = small_objective("fitnet", "adaptive")
        precision.lay_out(objective)
        for network in (objective.teacher, objective.student):
            assert not isinstance(vars(network).get("run"), Merging)
    for precision in (LAST, HALF):
        objective = small_objective("fitnet", "adaptive")
        precision.lay_out(objective)
        first = vars(objective.teacher)["run"]
        precision.lay_out(objective)
        assert isinstance(first, Merging)
        assert vars(objective.teacher)["run"] is first
        assert "run" not in vars(objective.student)
