"""Adapters fit every pair of shapes, with the geometry of the SAKD reference."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sakd.networks.adapters import adapter

sizes = st.integers(1, 20)
shapes = st.one_of(
    st.tuples(st.just(3), sizes, sizes),  # maps
    st.tuples(st.integers(1, 40), st.just(3)),  # tokens
    st.just((3,)),  # vectors
)


@given(shapes, shapes)
def test_an_adapter_leads_from_any_shape_to_any_other(
    source: tuple[int, ...], target: tuple[int, ...]
) -> None:
    made = adapter(source, target)
    features = torch.randn(2, *source, requires_grad=True)
    adapted = made(features)
    assert adapted.shape == (2, *target)
    wanted = [features, *made.parameters()]
    adapted.square().sum().backward()
    assert all(tensor.grad is not None and tensor.grad.isfinite().all() for tensor in wanted)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
def test_no_kernel_grows_with_the_sizes(height: int, width: int, rows: int, columns: int) -> None:
    with torch.device("meta"):
        made = adapter((3, height, width), (5, rows, columns))
        assert made(torch.empty(2, 3, height, width)).shape == (2, 5, rows, columns)
    assert all(max(m.kernel_size) <= 7 for m in made if hasattr(m, "kernel_size"))


@pytest.mark.parametrize(
    ("height", "wanted", "kind", "kernel", "stride", "padding"),
    [
        (16, 8, nn.Conv2d, 3, 2, 1),
        (8, 16, nn.ConvTranspose2d, 4, 2, 1),
        (8, 8, nn.Conv2d, 1, 1, 0),
        (8, 6, nn.Conv2d, 3, 1, 0),
        (5, 12, nn.ConvTranspose2d, 4, 2, 0),
        (4, 14, nn.ConvTranspose2d, 5, 3, 0),
        (13, 7, nn.Conv2d, 7, 1, 0),
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


@pytest.mark.parametrize(
    ("source", "target", "kernel", "stride"),
    [
        ((3, 8, 12), (5, 4, 6), (3, 3), (2, 2)),
        ((3, 4, 6), (5, 8, 12), (4, 4), (2, 2)),
        ((3, 8, 12), (5, 8, 9), (1, 4), (1, 1)),
        ((3, 5, 4), (5, 12, 14), (4, 5), (2, 3)),
        ((3, 8, 8), (5, 4, 16), (1, 1), (1, 1)),
    ],
)
def test_each_side_of_a_map_has_its_own_ratio(
    source: tuple[int, ...],
    target: tuple[int, ...],
    kernel: tuple[int, int],
    stride: tuple[int, int],
) -> None:
    (conv,) = (m for m in adapter(source, target) if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))
    assert (conv.kernel_size, conv.stride) == (kernel, stride)


@pytest.mark.parametrize(
    ("source", "target", "order"),
    [
        ((3, 56, 56), (5, 7, 7), ["pool", "conv", "bn", "relu"]),
        ((3, 2, 2), (5, 56, 56), ["conv", "pool", "bn", "relu"]),
    ],
)
def test_sizes_far_apart_are_pooled_where_that_is_cheaper(
    source: tuple[int, ...], target: tuple[int, ...], order: list[str]
) -> None:
    assert [name for name, _ in adapter(source, target).named_children()] == order


def test_tokens_to_vectors_and_back_keep_negative_values() -> None:
    for source, target in [((5, 3), (4,)), ((4,), (5, 3)), ((3, 2, 2), (5, 4)), ((9, 3), (5, 4))]:
        assert (adapter(source, target)(torch.randn(4, *source)) < 0).any()
