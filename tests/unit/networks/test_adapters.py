"""Adapters fit every pair of shapes, with the geometry of the SAKD reference."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sakd.errors import UserError
from sakd.networks.adapters import adapter

sizes = st.integers(1, 20)


@given(sizes, sizes)
def test_an_adapter_reaches_any_size_from_any_other(height: int, wanted: int) -> None:
    made = adapter((3, height, height), (5, wanted, wanted))
    assert made(torch.randn(2, 3, height, height)).shape == (2, 5, wanted, wanted)


@pytest.mark.parametrize(
    ("height", "wanted", "kind", "kernel", "stride", "padding"),
    [
        (16, 8, nn.Conv2d, 3, 2, 1),
        (8, 16, nn.ConvTranspose2d, 4, 2, 1),
        (8, 8, nn.Conv2d, 1, 1, 0),
        (8, 6, nn.Conv2d, 3, 1, 0),
        (5, 12, nn.ConvTranspose2d, 4, 2, 0),
        (4, 14, nn.ConvTranspose2d, 5, 3, 0),
    ],
)
def test_the_geometry_follows_the_ratio_of_the_heights(
    height: int, wanted: int, kind: type[nn.Module], kernel: int, stride: int, padding: int
) -> None:
    conv, bn, relu = adapter((3, height, height), (5, wanted, wanted)).children()
    assert (type(conv), type(bn), type(relu)) == (kind, nn.BatchNorm2d, nn.ReLU)
    geometry = [(conv.kernel_size[0], conv.stride[0], conv.padding[0], conv.bias is not None)]
    assert geometry == [(kernel, stride, padding, True)]


def test_vectors_are_adapted_by_a_plain_linear_layer() -> None:
    made = adapter((3,), (5,))
    assert isinstance(made, nn.Linear)
    assert made(torch.randn(2, 3)).shape == (2, 5)


def test_a_map_cannot_be_adapted_to_a_vector() -> None:
    with pytest.raises(UserError, match="both must be maps or vectors"):
        adapter((3, 4, 4), (5,))
