"""Attentive distillation equals its formula; its attention leaves out what the student lacks."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.distillers import Distiller
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]


def after(layer: nn.Linear, values: list[float]) -> list[float]:
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [math.fsum(w * x for w, x in zip(row, values, strict=True)) + b for row, b in rows]


def unit(values: list[float]) -> list[float]:
    return [x / math.hypot(*values) for x in values]


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_channels_count_by_the_attention_of_the_teachers_means(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    attentive = build("attentive", [(3, 2, 2)], [(3, 2, 2)], hidden=0.7)
    (attention,) = attentive.attentions
    assert attention.squeeze.out_features == 2

    def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
        total = 0.0
        for s, t in zip(
            student[0].flatten(2).tolist(), teacher[0].flatten(2).tolist(), strict=True
        ):
            inner = [max(x, 0.0) for x in after(attention.squeeze, [sum(c) / 4 for c in t])]
            shares = [1 / (1 + math.exp(-x)) for x in after(attention.excite, inner)]
            for share, ours, theirs in zip(shares, s, t, strict=True):
                square = math.dist(unit(ours), unit(theirs)) ** 2
                total += share / sum(shares) * square / 4
        return total / len(student[0])

    assert_by_hand(attentive, by_hand, mask, seed)


def test_the_attention_leaves_a_channel_that_cannot_be_matched(build: Build) -> None:
    attentive = build("attentive", [(3, 4, 4)], [(3, 4, 4)])
    teacher = torch.rand(8, 3, 4, 4, dtype=torch.float64)
    student = teacher.clone()
    student[:, 1] *= -1
    optimiser = torch.optim.SGD(attentive.parameters(), lr=20)
    everybody = torch.ones(8, dtype=torch.bool)
    for _ in range(200):
        optimiser.zero_grad()
        attentive.loss(0, student, teacher, None, everybody).backward()
        optimiser.step()
    shares = attentive.attentions[0](teacher).detach()
    assert shares[:, 1].max() < 0.1
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(8, dtype=torch.float64))


def test_maps_may_differ_in_channels_and_size(build: Build, loss_of: Callable[..., Tensor]) -> None:
    attentive = build("attentive", [(2, 4, 4)], [(3, 2, 2)])
    student, teacher = torch.randn(5, 2, 4, 4).double(), torch.randn(5, 3, 2, 2).double()
    assert loss_of(attentive, [student], [teacher], torch.ones(5, dtype=torch.bool)) > 0


def test_a_hidden_layer_has_a_width(build: Build) -> None:
    narrow = build("attentive", [(2, 4, 4)], [(2, 4, 4)], hidden=0.01)
    assert narrow.attentions[0].squeeze.out_features == 1
    with pytest.raises(UserError, match="hidden must be above 0, got 0"):
        build("attentive", [(2, 4, 4)], [(2, 4, 4)], hidden=0)
