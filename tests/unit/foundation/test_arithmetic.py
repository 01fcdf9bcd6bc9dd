"""Losses in full precision amid networks in half, and the layers between both."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from sakd.foundation.arithmetic import arithmetic_of, as_networks, without_casts

CPU = torch.device("cpu")


@pytest.fixture
def layer() -> nn.Module:
    return nn.Linear(3, 2)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 3)


def halved() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16)


def test_nothing_is_cast_within(layer: nn.Module, x: Tensor) -> None:
    with halved():
        with without_casts(CPU):
            assert torch.equal(layer(x), x @ layer.weight.T + layer.bias)
        assert layer(x).dtype == torch.bfloat16


def test_layers_between_networks_have_their_casts_and_give_back_the_type(
    layer: nn.Module, x: Tensor
) -> None:
    with halved():
        there = layer(x)
        with without_casts(CPU), without_casts(CPU):
            ours = as_networks(layer, x)
            assert layer(x).dtype == torch.float32
    assert ours.dtype == torch.float32
    assert torch.equal(ours, there.float())


def test_without_casts_layers_are_applied_as_they_are(layer: nn.Module, x: Tensor) -> None:
    plain = layer(x)
    assert torch.equal(as_networks(layer, x), plain)
    with without_casts(CPU):
        assert torch.equal(as_networks(layer, x), plain)
    with halved():
        assert as_networks(layer, x).dtype == torch.bfloat16


def test_casts_end_with_the_losses_also_after_an_error(layer: nn.Module, x: Tensor) -> None:
    with pytest.raises(ZeroDivisionError), halved(), without_casts(CPU):
        raise ZeroDivisionError
    assert torch.equal(as_networks(layer, x), layer(x))


def test_networks_can_be_run_again_within(layer: nn.Module, x: Tensor) -> None:
    with halved():
        networks = arithmetic_of(CPU)
        with without_casts(CPU), networks:
            assert layer(x).dtype == torch.bfloat16
            assert as_networks(layer, x).dtype == torch.bfloat16


def test_gradients_reach_weights_and_inputs_in_their_own_type(layer: nn.Module, x: Tensor) -> None:
    x.requires_grad_()
    with halved(), without_casts(CPU):
        as_networks(layer, x).square().sum().backward()
    for found in (x.grad, layer.weight.grad):
        assert found is not None
        assert found.dtype == torch.float32
        assert found.abs().sum() > 0
