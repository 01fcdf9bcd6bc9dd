"""Pruned forms of networks: which channels are left, and 1x1 convolutions that are merged."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from sakd.foundation.errors import UserError
from sakd.networks import Chain
from sakd.networks.absorbing import Block, absorb, blocks_of
from sakd.networks.pruned import cut, pruned_form
from sakd.networks.watched import watched
from unit.normed_networks import IMAGE, built


def chained(**stages: nn.Module) -> Chain:
    return Chain(stages, family="made")


def whole_width(layer: nn.Module) -> int:
    return len(layer.get_parameter("weight"))


@pytest.mark.parametrize("name", ["resnet8", "wrn_16_1", "vgg8"])
def test_what_is_left_is_the_network_without_the_other_channels(name: str) -> None:
    whole, student = built(name), built(f"{name}(keep=0.5)", seed=1)
    fresh = copy.deepcopy(student.state_dict())
    cuts = pruned_form(student, whole, IMAGE)
    assert all(torch.equal(fresh[n], value) for n, value in student.state_dict().items())
    cut(student, whole, cuts)
    for each in cuts:
        layer = whole.get_submodule(each.name)
        others = sorted(set(range(whole_width(layer))) - set(each.outputs.tolist()))
        with torch.no_grad():
            if isinstance(layer, nn.Conv2d) and others:
                sums = layer.weight.abs().sum(dim=(1, 2, 3))
                assert sums[each.outputs].min() >= sums[others].max()
            if isinstance(layer, nn.BatchNorm2d):
                layer.weight[others] = layer.bias[others] = 0.0
    images = torch.randn(2, *IMAGE)
    torch.testing.assert_close(student(images), whole(images), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", ["resnet8", "vgg8"])
def test_a_network_is_a_pruned_form_of_itself(name: str) -> None:
    whole, student = built(name), built(name, seed=1)
    cut(student, whole, pruned_form(student, whole, IMAGE))
    images = torch.randn(2, *IMAGE)
    assert torch.equal(student(images), whole(images))


def test_blocks_are_convolutions_with_their_norms_as_they_run() -> None:
    blocks = blocks_of(built("wrn_16_1"), IMAGE)
    assert blocks[0] == Block("stem", None)  # the shortcut takes it too
    assert blocks[1] == Block("stage1.0.conv1", "stage1.0.bn2")
    assert blocks[2] == Block("stage1.0.conv2", None)
    assert blocks_of(built("vgg8"), IMAGE)[0].end == "stem.1"


def seen(network: nn.Module, name: str, images: Tensor) -> Tensor:
    found: list[Tensor] = []
    with watched(network, name, found.append), torch.no_grad():
        network(images)
    return found[0]


@pytest.mark.parametrize("name", ["resnet8", "wrn_16_1", "vgg8"])
def test_a_merged_convolution_gives_what_both_gave(name: str) -> None:
    network, images = built(name), torch.randn(2, *IMAGE)
    for block in blocks_of(network, IMAGE):
        before = seen(network, block.end, images)
        mixing = torch.randn(before.shape[1], before.shape[1], dtype=torch.float64)
        expected = torch.einsum("oc,bchw->bohw", mixing.float(), before)
        absorb(network, block, mixing)
        torch.testing.assert_close(
            seen(network, block.end, images), expected, rtol=1e-4, atol=1e-3 * expected.std().item()
        )


@pytest.mark.parametrize(
    ("student", "teacher", "reason"),
    [
        ("resnet8", "vgg8", "of the one is"),
        ("resnet8", "resnet14", "stage1.* of the other"),
        ("resnet14", "resnet14(keep=0.5)", r"stage1\.0\.conv1 gives 16 channels of 8"),
        ("wrn_16_1", "wrn_16_2", r"stage1.* of the other"),
        ("ShuffleNetV2", "ShuffleNetV2", "in groups"),
    ],
)
def test_what_is_no_pruned_form_is_refused(student: str, teacher: str, reason: str) -> None:
    with pytest.raises(UserError, match=rf"no pruned form .*{reason}.*keep=0\.5") as caught:
        pruned_form(built(student), built(teacher), IMAGE)
    assert "\n" not in str(caught.value)


class Sum(nn.Module):
    """Two convolutions that are added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.other = (nn.Conv2d(3, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, width, H, W)."""
        added: Tensor = self.one(x) + self.other(x)
        return added.relu()


def test_channels_that_are_added_cannot_be_left_out_apart() -> None:
    def network(width: int) -> Chain:
        pool, flat = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        return chained(
            stem=Sum(width), embedding=nn.Sequential(pool, flat), head=nn.Linear(width, 5)
        )

    with pytest.raises(UserError, match="left out of one layer are added to those of another"):
        pruned_form(network(4), network(8), IMAGE)
