"""Convolutions of narrow maps take channels first, whatever the layout of others."""

from __future__ import annotations

import copy
import platform
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sakd.data import BatchStream
from sakd.objectives import SpotDistillation
from sakd.training import EXACT, Precision, Run, narrow, train

Objectives = Callable[..., SpotDistillation]
Streams = Callable[..., BatchStream]

LAST = Precision(channels_last=True)


@pytest.fixture(autouse=True)
def _on_x86(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.fixture
def small_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let networks count that are small enough for tests."""
    monkeypatch.setattr(narrow, "CHANNELS", 2)


def conv(channels: int = narrow.CHANNELS, kernel: int = 3, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(channels, 8, kernel, padding=kernel // 2, **options)


def last(maps: Tensor) -> Tensor:
    return maps.contiguous(memory_format=torch.channels_last)


def is_last(maps: Tensor) -> bool:
    return maps.is_contiguous(memory_format=torch.channels_last)


def test_narrow_maps_and_their_weights_come_with_channels_first() -> None:
    laid, maps = conv(), torch.randn(2, narrow.CHANNELS, 6, narrow.WIDTH)
    plain = copy.deepcopy(laid)(maps)
    LAST.lay_out(laid)
    assert is_last(laid.weight)
    found = laid(last(maps))
    assert found.is_contiguous()
    assert laid.weight.is_contiguous()
    assert torch.equal(found, plain)
    found.sum().backward()
    assert laid.weight.grad is not None
    assert laid.weight.grad.is_contiguous()


def test_the_gradient_of_turned_maps_is_laid_out_as_they_are() -> None:
    laid, maps = conv(), torch.randn(2, narrow.CHANNELS, 6, narrow.WIDTH, requires_grad=True)
    plain = copy.deepcopy(laid)
    LAST.lay_out(laid)
    turned = last(maps.detach()).requires_grad_()
    gradients = []
    hooked = turned * 1  # a leaf's gradient is laid out as the leaf
    hooked.register_hook(gradients.append)
    given = torch.autograd.grad(laid(hooked).square().sum(), turned, create_graph=True)[0]
    wanted = torch.autograd.grad(plain(maps).square().sum(), maps, create_graph=True)[0]
    assert is_last(gradients[0])
    assert torch.equal(given, wanted)
    (second,) = torch.autograd.grad(given.square().sum(), turned)
    torch.testing.assert_close(second, torch.autograd.grad(wanted.square().sum(), maps)[0])


@pytest.mark.parametrize(
    ("layer", "width"),
    [
        (conv(), narrow.WIDTH + 1),
        (conv(narrow.CHANNELS - 1), narrow.WIDTH),
        (conv(groups=2), narrow.WIDTH),
        (conv(kernel=1), narrow.WIDTH),
        (conv().double(), narrow.WIDTH),
    ],
    ids=["wide", "few channels", "groups", "points", "double"],
)
def test_other_convolutions_keep_channels_last(layer: nn.Conv2d, width: int) -> None:
    LAST.lay_out(layer)
    shape = (2, layer.in_channels, 6, width)
    found = layer(last(torch.randn(shape, dtype=layer.weight.dtype)))
    assert is_last(found)
    assert is_last(layer.weight)


def test_convolutions_in_half_precision_keep_channels_last() -> None:
    maps = last(torch.randn(2, narrow.CHANNELS, 4, narrow.WIDTH))
    half, both = conv(), conv()
    Precision(torch.bfloat16, channels_last=True).lay_out(half)
    assert not half._forward_pre_hooks
    LAST.lay_out(both)
    with torch.autocast("cpu", torch.bfloat16):
        assert is_last(both(maps))


def test_other_precisions_and_processors_leave_convolutions_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = conv()
    EXACT.lay_out(layer)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    LAST.lay_out(layer)
    assert not layer._forward_pre_hooks


def test_a_network_that_is_laid_out_again_asks_once() -> None:
    layer = conv()
    for _ in range(2):
        LAST.lay_out(layer)
    assert len(layer._forward_pre_hooks) == 1


@pytest.mark.usefixtures("small_channels")
def test_runs_side_by_side_and_resumed_ones_have_the_bits_of_one_alone(
    small_objective: Objectives, small_stream: Streams, kept_states: Any
) -> None:
    seen = []

    def begun(method: str, **options: Any) -> Run:
        objective = small_objective(method, "adaptive", seed=options.pop("seed", 0))
        return Run(objective, epochs=2, precision=LAST, **options)

    alone = begun("at", callbacks=[kept_states])
    layers = (m for m in alone.objective.student.modules() if isinstance(m, nn.Conv2d))
    for layer in (layer for layer in layers if max(layer.kernel_size) > 1):
        layer.register_forward_hook(lambda _m, _given, result: seen.append(is_last(result)))
    train([alone], small_stream(1))
    assert set(seen) == {True, False}
    rows = [begun("sp", seed=3), begun("at")]
    rows += [begun("at", seed=5, resume=kept_states.at(place)) for place in [(0, 3), (1, 2)]]
    train(rows, small_stream(1))
    expected = alone.objective.state_dict()
    for run in rows[1:]:
        assert run.failure is None
        assert run.history == alone.history
        for name, value in run.objective.state_dict().items():
            assert torch.equal(value, expected[name]), name
