"""Correlation congruence equals its formula, and trains the embeddings asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.distillers import Distiller

Build = Callable[..., Distiller]
masks = st.lists(st.booleans(), min_size=5, max_size=5)


def embedded(layer: nn.Linear, sample: list[float]) -> list[float]:
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [math.fsum([b, *(w * x for w, x in zip(row, sample, strict=True))]) for row, b in rows]


@given(mask=masks, seed=st.integers(0, 1000))
def test_neighbours_among_the_chosen_are_correlated(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    cc = build("cc", [(3,)], [(4,)], feat_dim=2)

    def deviation(student: list[float], teacher: list[float]) -> list[float]:
        pairs = zip(
            embedded(cc.student_embedding, student),
            embedded(cc.teacher_embedding, teacher),
            strict=True,
        )
        return [abs(a - b) for a, b in pairs]

    def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
        samples = zip(student[0].tolist(), teacher[0].tolist(), strict=True)
        couples = list(pairwise(deviation(s, t) for s, t in samples))
        products = [math.fsum(x * y for x, y in zip(*couple, strict=True)) for couple in couples]
        return math.fsum(products) / len(products) if products else 0.0

    assert_by_hand(cc, by_hand, mask, seed)


@pytest.mark.parametrize("trained", [False, True])
def test_the_teachers_embedding_is_trained_only_where_asked(trained: bool, build: Build) -> None:
    cc = build("cc", [(3,)], [(4,)], train_teacher_embedding=trained)
    assert all(p.requires_grad for p in cc.student_embedding.parameters())
    assert all(p.requires_grad == trained for p in cc.teacher_embedding.parameters())
