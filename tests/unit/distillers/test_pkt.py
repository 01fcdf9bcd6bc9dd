"""Probabilistic transfer equals its formula, also for a sample of zeros."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller
from sakd.distillers.pkt import neighbourhood

masks = st.lists(st.booleans(), min_size=5, max_size=5)


def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    def chances(rows: list[list[float]]) -> list[list[float]]:
        units = [[x / (math.hypot(*row) + 1e-7) for x in row] for row in rows]
        nearness = [
            [(math.fsum(x * y for x, y in zip(a, b, strict=True)) + 1) / 2 for b in units]
            for a in units
        ]
        return [[x / math.fsum(row) for x in row] for row in nearness]

    p_s, p_t = chances(student[0].tolist()), chances(teacher[0].tolist())
    terms = [
        t * math.log((t + 1e-7) / (s + 1e-7))
        for row_s, row_t in zip(p_s, p_t, strict=True)
        for s, t in zip(row_s, row_t, strict=True)
    ]
    return math.fsum(terms) / len(terms)


@given(mask=masks, seed=st.integers(0, 1000))
def test_the_neighbourhoods_of_the_chosen_are_compared(
    mask: list[bool],
    seed: int,
    build: Callable[..., Distiller],
    assert_by_hand: Callable[..., None],
) -> None:
    assert_by_hand(build("pkt", [(3,)], [(4,)]), by_hand, mask, seed)


def test_a_sample_of_zeros_gives_a_finite_gradient() -> None:
    embedding = torch.randn(4, 3)
    embedding[1] = 0
    embedding.requires_grad_()
    (gradient,) = torch.autograd.grad(
        neighbourhood(embedding, torch.ones(4, dtype=torch.bool)).square().sum(), embedding
    )
    assert gradient.isfinite().all()
    assert not neighbourhood(embedding, torch.zeros(4, dtype=torch.bool)).any()
