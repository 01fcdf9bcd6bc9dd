"""Batch norms in evaluation mode: what torch gives, with a cheaper gradient."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from sakd.networks.rectifiers import RectifierWatch
from sakd.training import EXACT, Precision
from sakd.training.evaluated import lay_norms_out
from unit.repeated import ON_A_GPU

LAST = Precision(channels_last=True)
HALF = Precision(torch.bfloat16, channels_last=True)
DEVICES = ["cpu", pytest.param("cuda", marks=ON_A_GPU)]
KINDS = {torch.float32: 1e-6, torch.bfloat16: 5e-3}


def norm(channels: int = 5, **options: bool) -> nn.BatchNorm2d:
    made = nn.BatchNorm2d(channels, **options)
    for tensor in (*made.parameters(), made.running_mean):
        if tensor is not None:
            nn.init.normal_(tensor)
    if made.running_var is not None:
        nn.init.uniform_(made.running_var, 0.3, 3)
    return made.eval().requires_grad_(False)


def maps(channels: int = 5, kind: torch.dtype = torch.float32) -> Tensor:
    drawn = torch.randn(4, channels, 6, 7).contiguous(memory_format=torch.channels_last)
    return drawn.to(kind).requires_grad_()


def results(layer: nn.Module, x: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
    """The output of ``layer``, and the gradient of ``x`` for the gradient ``given``."""
    output = layer(x)
    (gradient,) = torch.autograd.grad(output, x, given)
    return output.detach(), gradient


def far(found: Tensor, wanted: Tensor) -> float:
    return float((found.cpu().double() - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_norm_and_its_gradient_are_those_of_torch(kind: torch.dtype, device: str) -> None:
    plain, x = norm(), maps(kind=kind)
    given = torch.randn_like(x)
    wanted = results(copy.deepcopy(plain).double(), x.detach().double().requires_grad_(), given)
    LAST.lay_out(plain.to(device))
    last = x.detach().to(device).requires_grad_()
    for gradient in (given, given.contiguous()):
        found = results(plain, last, gradient.to(device))
        for one, exact in zip(found, wanted, strict=True):
            assert one.dtype == kind
            assert one.is_contiguous(memory_format=torch.channels_last)
            assert far(one, exact) < KINDS[kind]
    with torch.no_grad():
        assert far(plain(last), wanted[0]) < KINDS[kind]


def taken(layer: nn.Module, x: Tensor) -> bool:
    """Whether the cheap gradient is used."""
    return "Scaled" in type(layer(x).grad_fn).__name__


def test_only_norms_that_nobody_trains_are_replaced() -> None:
    layer, x = norm(), maps()
    LAST.lay_out(layer)
    assert taken(layer, x)
    assert not taken(layer, x.detach().contiguous().requires_grad_())
    assert not taken(layer.train(), x)
    assert not taken(layer.eval().requires_grad_(True), x)
    assert not taken(layer.requires_grad_(False).double(), x.detach().double().requires_grad_())


@pytest.mark.parametrize("precision", [EXACT, Precision(channels_last=True, compiled=True)])
def test_other_arithmetic_leaves_norms_as_they_are(precision: Precision) -> None:
    layer, x = norm(), maps()
    precision.lay_out(layer)
    assert not taken(layer, x)


@pytest.mark.parametrize("option", ["affine", "track_running_stats"])
def test_norms_without_weights_or_statistics_stay(option: str) -> None:
    layer, x = norm(**{option: False}), maps()
    LAST.lay_out(layer)
    assert not taken(layer, x)


def test_statistics_that_change_count_at_once() -> None:
    layer, x = norm(), maps()
    LAST.lay_out(layer)
    before = layer(x)
    assert layer.running_mean is not None
    layer.running_mean += 1
    assert not torch.equal(layer(x), before)


def test_gradients_of_gradients_are_those_of_torch() -> None:
    plain, x = norm(), maps()
    laid = copy.deepcopy(plain)
    LAST.lay_out(laid)

    def second(layer: nn.Module) -> Tensor:
        y = layer(x)
        (first,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
        (found,) = torch.autograd.grad(first.pow(2).sum(), x)
        return found

    torch.testing.assert_close(second(laid), second(plain))


def test_who_watches_functions_sees_the_norm() -> None:
    layer, x = norm(), maps()
    LAST.lay_out(layer)
    with RectifierWatch(x) as watch:
        layer(x).relu()
    assert watch.opening is not None


def test_a_copy_has_its_own_statistics() -> None:
    layer, x = norm(), maps()
    LAST.lay_out(layer)
    other = copy.deepcopy(layer)
    assert other.running_mean is not None
    other.running_mean += 1
    assert not torch.equal(layer(x), other(x))


def test_layers_are_laid_out_once() -> None:
    layer = norm()
    LAST.lay_out(layer)
    first = vars(layer)["forward"]
    HALF.lay_out(layer)
    assert vars(layer)["forward"] is first


def test_a_frozen_network_that_is_trained_later_is_no_longer_constant() -> None:
    layer, x = norm(), maps()
    lay_norms_out(layer, [layer])
    assert vars(layer)["forward"].constant
    assert taken(layer, x)
    LAST.lay_out(layer)
    assert not vars(layer)["forward"].constant
