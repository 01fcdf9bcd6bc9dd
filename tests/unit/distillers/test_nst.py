"""Neuron selectivity transfer equals its formula, by either Gram matrix."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller
from sakd.distillers.nst import discrepancy

masks = st.lists(st.booleans(), min_size=5, max_size=5)


def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    def units(sample: Tensor) -> list[list[float]]:
        rows = sample.flatten(1).tolist()
        return [[x / math.hypot(*row) for x in row] for row in rows]

    def mean_kernel(one: list[list[float]], other: list[list[float]]) -> float:
        kernels = [
            math.fsum(x * y for x, y in zip(a, b, strict=True)) ** 2 for a in one for b in other
        ]
        return math.fsum(kernels) / len(kernels)

    samples = [(units(s), units(t)) for s, t in zip(student[0], teacher[0], strict=True)]
    losses = [mean_kernel(t, t) + mean_kernel(s, s) - 2 * mean_kernel(s, t) for s, t in samples]
    return math.fsum(losses) / len(losses)


@pytest.mark.parametrize(("student", "teacher"), [((2, 3, 3), (4, 3, 3)), ((5, 2, 2), (6, 2, 2))])
@given(mask=masks, seed=st.integers(0, 1000))
def test_every_pair_of_channels_counts(
    student: tuple[int, ...],
    teacher: tuple[int, ...],
    mask: list[bool],
    seed: int,
    build: Callable[..., Distiller],
    assert_by_hand: Callable[..., None],
) -> None:
    assert_by_hand(build("nst", [student], [teacher]), by_hand, mask, seed)


@pytest.mark.parametrize("shape", [(7, 2), (2, 7)])
def test_no_tensor_is_larger_than_the_inputs_or_the_smaller_gram(shape: tuple[int, int]) -> None:
    sizes: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    maps = torch.randn(3, *shape, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        discrepancy(maps, torch.randn(3, *shape))
    assert max(sizes) <= 3 * max(shape[0] * shape[1], min(shape) ** 2)
