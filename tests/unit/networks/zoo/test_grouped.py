"""Grouped 1x1 convolutions and shuffles of channels: what a GPU computes is what torch does."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import channel_shuffle, conv2d

from sakd.networks import build_network
from sakd.networks.zoo import grouped
from sakd.networks.zoo.grouped import GroupedPointwise, Shuffle, shuffled, ungrouped

LAYOUTS = pytest.mark.parametrize(
    "layout", [torch.contiguous_format, torch.channels_last], ids=["contiguous", "channels_last"]
)


@LAYOUTS
@pytest.mark.parametrize(("groups", "inputs", "outputs"), [(3, 12, 6), (2, 4, 10), (1, 3, 5)])
@pytest.mark.parametrize("side", [1, 4])
def test_zeros_between_groups_give_the_maps_and_gradients_of_a_grouped_convolution(
    groups: int, inputs: int, outputs: int, side: int, layout: torch.memory_format
) -> None:
    like = {"dtype": torch.float64, "requires_grad": True}
    maps = torch.randn(5, inputs, side, side + 1, **like)  # type: ignore[call-overload]
    weight = torch.randn(outputs, inputs // groups, 1, 1, **like)  # type: ignore[call-overload]
    laid_out = maps.contiguous(memory_format=layout)
    theirs = conv2d(laid_out, weight, groups=groups)
    ours = conv2d(laid_out, ungrouped(weight, groups))
    assert ours.is_contiguous(memory_format=layout)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)
    shares = torch.rand_like(theirs)
    gradients = (torch.autograd.grad((x * shares).sum(), (maps, weight)) for x in (ours, theirs))
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_a_shuffle_of_maps_with_channels_last_is_torchs_and_keeps_them_so(groups: int) -> None:
    maps = torch.randn(2, 12, 3, 5).contiguous(memory_format=torch.channels_last)
    ours = shuffled(maps, groups)
    assert torch.equal(ours, channel_shuffle(maps.contiguous(), groups))
    assert ours.is_contiguous(memory_format=torch.channels_last)


def test_elsewhere_than_on_a_gpu_it_is_a_convolution_to_the_bit() -> None:
    torch.manual_seed(0)
    layer, plain = GroupedPointwise(12, 6, 3), nn.Conv2d(12, 6, 1, groups=3, bias=False)
    plain.load_state_dict(layer.state_dict())
    maps = torch.randn(2, 12, 4, 4)
    assert torch.equal(layer(maps), plain(maps))


def test_shufflenet_has_them_wherever_its_1x1_convolutions_are_grouped() -> None:
    network = build_network("ShuffleNetV1", num_classes=7, image_shape=(3, 32, 32))
    layers = [one for one in network.modules() if isinstance(one, nn.Conv2d)]
    grouped_ones = [one for one in layers if one.kernel_size == (1, 1) and one.groups > 1]
    assert len(grouped_ones) == 31  # two of each of 16 units; the first takes the stem ungrouped
    assert all(isinstance(one, GroupedPointwise) for one in grouped_ones)


def test_shufflenets_shuffle_so_that_maps_stay_as_they_lie_in_memory() -> None:
    for name in ("ShuffleNetV1", "ShuffleNetV2"):
        network = build_network(name, num_classes=7, image_shape=(3, 32, 32))
        shuffles = [one for one in network.modules() if isinstance(one, nn.ChannelShuffle)]
        assert len(shuffles) == 16
        assert all(isinstance(one, Shuffle) for one in shuffles)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@LAYOUTS
def test_on_a_gpu_they_take_their_own_ways(
    layout: torch.memory_format, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, shuffle = GroupedPointwise(240, 60, 3).cuda().double(), Shuffle(3)
    maps = torch.randn(4, 240, 8, 8, dtype=torch.float64, device="cuda")
    maps = maps.contiguous(memory_format=layout)
    ours = layer(maps)
    torch.testing.assert_close(ours, conv2d(maps, layer.weight, groups=3))
    assert torch.equal(shuffle(maps), channel_shuffle(maps.contiguous(), 3))
    assert shuffle(maps).is_contiguous(memory_format=layout)
    monkeypatch.setattr(grouped, "conv2d", lambda *_: None)
    assert layer(maps) is None
