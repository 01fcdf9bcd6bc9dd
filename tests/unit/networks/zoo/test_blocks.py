"""The wiring of the blocks, which counts of parameters do not show."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from sakd.networks.zoo.blocks import Block, chain
from sakd.networks.zoo.imagenet_resnet import Bottleneck
from sakd.networks.zoo.mobilenet import InvertedResidual
from sakd.networks.zoo.resnet import BasicBlock
from sakd.networks.zoo.shufflenet import GroupedUnit, SplitUnit
from sakd.networks.zoo.vgg import PoolLargeMaps
from sakd.networks.zoo.wide_resnet import PreActivationBlock

EXPANDING = partial(InvertedResidual, expansion=6)
BLOCKS = [BasicBlock, Bottleneck, PreActivationBlock, EXPANDING, GroupedUnit, SplitUnit]


def silence(branch: nn.Module) -> None:
    """Make the last batch norm of a branch give zero."""
    *_, last = (module for module in branch.modules() if isinstance(module, nn.BatchNorm2d))
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("stride", [1, 2])
def test_the_first_block_of_a_chain_changes_the_shape(block: Block, stride: int) -> None:
    outputs = 24 if stride == 1 else 48
    made = chain(block, 24, outputs, length=3, stride=stride)
    assert len(made) == 3
    assert made(torch.randn(2, 24, 8, 8)).shape == (2, outputs, 8 // stride, 8 // stride)


@pytest.mark.parametrize(
    ("block", "last"), [(BasicBlock, "bn2"), (Bottleneck, "bn3"), (GroupedUnit, "branch")]
)
def test_a_block_whose_branch_is_silent_rectifies_its_input(block: Block, last: str) -> None:
    made = block(24, 24, 1).eval()
    silence(made.get_submodule(last))
    x = torch.randn(2, 24, 4, 4)
    assert torch.equal(made(x), x.clamp(min=0))


def test_an_inverted_residual_whose_projection_is_silent_is_the_identity() -> None:
    made = InvertedResidual(8, 8, 1, expansion=2).eval()
    silence(made.project)
    x = torch.randn(2, 8, 4, 4)
    assert torch.equal(made(x), x)


def test_an_inverted_residual_that_changes_the_shape_has_no_shortcut() -> None:
    for outputs, stride in ((8, 2), (6, 1)):
        made = InvertedResidual(8, outputs, stride, expansion=2).eval()
        silence(made.project)
        assert not made(torch.randn(2, 8, 4, 4)).any()


def test_a_grouped_unit_with_a_stride_puts_its_pooled_input_beside_its_branch() -> None:
    made = GroupedUnit(6, 18, 2).eval()
    silence(made.branch)
    x = torch.rand(1, 6, 4, 4)
    padded = torch.zeros(1, 6, 6, 6)
    padded[:, :, 1:5, 1:5] = x
    out = made(x)
    assert not out[:, :12].any()
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        window = padded[:, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
        assert torch.allclose(out[:, 12:, row, column], window.sum(dim=(2, 3)) / 9)


def test_a_split_unit_passes_the_first_half_to_every_other_channel() -> None:
    made = SplitUnit(8, 8, 1).eval()
    silence(made.branch)
    x = torch.randn(2, 8, 4, 4)
    out = made(x)
    assert torch.equal(out[:, 0::2], x[:, :4])
    assert not out[:, 1::2].any()


@pytest.mark.parametrize(("size", "pooled"), [(1, 1), (2, 2), (4, 4), (5, 2), (8, 4), (14, 7)])
def test_only_maps_larger_than_four_by_four_are_pooled(size: int, pooled: int) -> None:
    x = torch.randn(1, 2, size, size)
    out = PoolLargeMaps()(x)
    assert out.shape == (1, 2, pooled, pooled)
    assert out[0, 1, 0, 0] == (x[0, 1, 0, 0] if size == pooled else x[0, 1, :2, :2].max())
