"""Averages to another size: the same by products, where torch has no deterministic operation."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import adaptive_avg_pool2d

from sakd.foundation import pooling
from sakd.foundation.determinism import compute_deterministically
from sakd.foundation.pooling import AveragePool, average_by_products, average_to, is_refused

SIDES = st.integers(1, 9)


@given(side=st.tuples(SIDES, SIDES), size=st.tuples(SIDES, SIDES))
def test_products_give_the_averages_and_gradients_of_adaptive_pooling(
    side: tuple[int, int], size: tuple[int, int]
) -> None:
    maps = torch.rand(2, 3, *side, dtype=torch.float64, requires_grad=True)
    theirs, ours = adaptive_avg_pool2d(maps, size), average_by_products(maps, size)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)
    weights = torch.rand_like(theirs)
    gradients = [torch.autograd.grad((x * weights).sum(), maps) for x in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_products_of_half_precision_round_once(dtype: torch.dtype) -> None:
    maps = torch.rand(1, 1, 7, 5).to(dtype)
    with torch.autocast("cpu", torch.bfloat16):
        ours = average_by_products(maps, (3, 3))
    expected = adaptive_avg_pool2d(maps.double(), (3, 3)).to(dtype)
    torch.testing.assert_close(ours, expected, rtol=torch.finfo(dtype).eps, atol=0.0)
    assert ours.dtype == dtype


@pytest.mark.usefixtures("usual_operations")
def test_products_are_for_deterministic_operations_on_a_gpu_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    maps = torch.rand(2, 3, 5, 5)
    compute_deterministically()
    assert not is_refused(maps)
    assert torch.equal(AveragePool((2, 3))(maps), adaptive_avg_pool2d(maps, (2, 3)))
    monkeypatch.setattr(pooling, "is_refused", lambda _: True)
    assert torch.equal(average_to(maps, (2, 3)), average_by_products(maps, (2, 3)))
