"""Factor transfer equals its formula, and does not train its paraphraser with the student."""

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


def factor(sample: Tensor) -> list[float]:
    channels = sample.flatten(1).tolist()
    means = [
        math.fsum(x * x for x in values) / len(values) for values in zip(*channels, strict=True)
    ]
    return [x / math.hypot(*means) for x in means]


@pytest.mark.parametrize("p2", [1, 2, 1.5])
@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_the_attention_of_the_factors_is_compared(
    p2: float, mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
        total, count = 0.0, len(student[0])
        for s, t in zip(student[0], teacher[0], strict=True):
            pairs = list(zip(factor(s), factor(t), strict=True))
            total += math.fsum(abs(a - b) ** p2 for a, b in pairs) / len(pairs)
        return total / count

    ft = build("ft", [(2, 3, 3)], [(4, 3, 3)], p2=p2)
    ft.translator = ft.paraphraser.encoder = nn.Identity()
    assert_by_hand(ft, by_hand, mask, seed)


def test_a_translator_that_is_right_has_nothing_to_learn(
    build: Build, loss_of: Callable[..., Tensor]
) -> None:
    ft = build("ft", [(6, 3, 3)], [(6, 3, 3)])
    ft.translator = ft.paraphraser.encoder
    maps = [torch.randn(5, 6, 3, 3, dtype=torch.float64)]
    assert loss_of(ft, maps, maps, torch.ones(5, dtype=torch.bool)) == 0


@pytest.mark.parametrize(("ratio", "factors"), [(0.5, 3), (1.0, 6), (0.01, 1)])
def test_factors_are_a_share_of_the_teachers_channels(
    ratio: float, factors: int, build: Build
) -> None:
    ft = build("ft", [(2, 3, 3)], [(6, 3, 3)], factor_ratio=ratio)
    assert ft.translator(torch.randn(5, 2, 3, 3, dtype=torch.float64)).shape[1] == factors
    teacher = torch.randn(5, 6, 3, 3, dtype=torch.float64)
    assert ft.paraphraser.encoder(teacher).shape[1] == factors
    assert ft.paraphraser(teacher).shape == teacher.shape


def test_only_the_translator_is_trained_with_the_student(build: Build) -> None:
    wants = {
        name.split(".")[0]: p.requires_grad
        for name, p in build("ft", [(2, 3, 3)], [(6, 3, 3)]).named_parameters()
    }
    assert wants == {"translator": True, "paraphraser": False}


def test_fewer_than_no_epochs_of_pretraining_are_refused(build: Build) -> None:
    with pytest.raises(UserError, match=r"pretrain_epochs .*negative.* -1"):
        build("ft", [(2, 3, 3)], [(6, 3, 3)], pretrain_epochs=-1)
