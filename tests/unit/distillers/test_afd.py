"""Attention-based distillation equals its formula, written out stage by stage."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.distillers import Distiller
from sakd.distillers.afd import stage_errors

Build = Callable[..., Distiller]
LossOf = Callable[..., Tensor]
SHAPES = [(2, 4, 4), (3, 2, 2)]
SHARES = [[0.25, 0.75], [0.9, 0.1]]


class Fixed(nn.Module):
    """Gives shares (T, S) to every sample."""

    def forward(self, students: list[Tensor], _: list[Tensor]) -> Tensor:
        return torch.tensor(SHARES, dtype=torch.float64).expand(len(students[0]), 2, 2)


def squares(maps: list[list[list[float]]]) -> list[list[float]]:
    """Average the squares of one sample's channels."""
    return [
        [
            math.fsum(channel[y][x] ** 2 for channel in maps) / len(maps)
            for x in range(len(maps[0][0]))
        ]
        for y in range(len(maps[0]))
    ]


def resized(rows: list[list[float]], side: int) -> list[list[float]]:
    """Average 2x2 positions, or repeat each four times; only 4 and 2 occur."""
    places = range(side)
    if side < len(rows):
        return [
            [
                math.fsum(rows[2 * y + i][2 * x + j] for i in (0, 1) for j in (0, 1)) / 4
                for x in places
            ]
            for y in places
        ]
    factor = side // len(rows)
    return [[rows[y // factor][x // factor] for x in places] for y in places]


def unit(rows: list[list[float]]) -> list[float]:
    flat = [x for row in rows for x in row]
    return [x / math.hypot(*flat) for x in flat]


def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    total = 0.0
    for b in range(len(student[0])):
        for t, shares in enumerate(SHARES):
            wanted = squares(teacher[t][b].tolist())
            for s, share in enumerate(shares):
                ours = unit(resized(squares(student[s][b].tolist()), len(wanted)))
                pairs = zip(ours, unit(wanted), strict=True)
                total += share * math.fsum((x - y) ** 2 for x, y in pairs) / len(ours)
    return total / len(student[0])


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_every_stage_of_the_student_answers_for_its_share(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    afd = build("afd", SHAPES, SHAPES, width=2)
    afd.alikeness = Fixed()
    assert_by_hand(afd, by_hand, mask, seed)


def test_shares_of_a_teachers_stage_sum_to_one_and_depend_on_the_sample(build: Build) -> None:
    afd = build("afd", SHAPES, SHAPES, width=3)
    student, teacher = ([torch.randn(5, *s).double() for s in SHAPES] for _ in range(2))
    shares = afd.alikeness(student, teacher).detach()
    assert shares.shape == (5, 2, 2)
    torch.testing.assert_close(shares.sum(dim=2), torch.ones(5, 2, dtype=torch.float64))
    assert float((shares[0] - shares[1]).abs().max()) > 1e-6


def test_places_begin_with_the_scale_that_keeps_responses_and_gradients(build: Build) -> None:
    """Xavier's: two over the sum of both sides is the variance."""
    shapes = [(1, 1, 1)] * 20
    alikeness = build("afd", shapes, shapes, width=80).alikeness
    for places in (alikeness.student_places, alikeness.teacher_places):
        assert places.shape == (20, 80)
        assert float(places.detach().std()) == pytest.approx((2 / 100) ** 0.5, rel=0.1)


def test_a_choice_is_of_a_stage_of_the_teacher(build: Build) -> None:
    afd = build("afd", SHAPES, SHAPES, width=3)
    student, teacher = ([torch.randn(5, *s).double() for s in SHAPES] for _ in range(2))
    chosen = torch.tensor([True, False]).expand(5, 2)
    expected = (afd.alikeness(student, teacher) * stage_errors(student, teacher))[:, 0].sum() / 5
    torch.testing.assert_close(afd.losses(student, teacher, None, chosen), expected)


def test_a_single_stage_has_all_of_the_attention(build: Build, loss_of: LossOf) -> None:
    afd = build("afd", SHAPES[:1], SHAPES[:1], width=3)
    student, teacher = (torch.randn(5, *SHAPES[0]).double() for _ in range(2))
    everybody = torch.ones(5, dtype=torch.bool)
    alone = afd.loss(0, student, teacher, None, everybody)
    torch.testing.assert_close(alone, loss_of(afd, [student], [teacher], everybody))
