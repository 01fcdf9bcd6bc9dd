"""The weighted comparison of all stages equals its formula, written out channel by channel."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller
from sakd.foundation.errors import UserError
from sakd.networks.spots import Spot

Build = Callable[..., Distiller]
STUDENT, TEACHER = [(2, 4, 4), (3, 2, 2)], [(2, 4, 4), (4, 4, 4)]

Maps = list[list[list[float]]]


def learnt(build: Build) -> Distiller:
    """Build a distiller whose layers are no longer as they were at first."""
    made = build("l2tww", STUDENT, TEACHER)
    with torch.no_grad():
        for k, parameter in enumerate(made.parameters()):
            source = torch.Generator().manual_seed(k)
            parameter.copy_(torch.randn(parameter.shape, generator=source, dtype=torch.float64))
    return made


def linear(rows: Tensor, bias: Tensor, x: list[float]) -> list[float]:
    values = zip(rows.flatten(1).tolist(), bias.tolist(), strict=True)
    return [math.fsum(a * b for a, b in zip(row, x, strict=True)) + own for row, own in values]


def halved(maps: Maps) -> Maps:
    """Resize 4x4 to 2x2: there bilinear means the mean of four."""
    pairs = [
        [(channel[2 * y], channel[2 * y + 1]) for y in range(len(channel) // 2)] for channel in maps
    ]
    return [
        [
            [math.fsum(row[2 * x] + row[2 * x + 1] for row in two) / 4 for x in range(2)]
            for two in channel
        ]
        for channel in pairs
    ]


def by_hand(made: Distiller) -> Callable[[list[Tensor], list[Tensor]], float]:
    def error(k: int, ours: Maps, theirs: Maps) -> float:
        means = [math.fsum(v for row in channel for v in row) / 16 for channel in theirs]
        choice, regressor = made.choice, made.regressors[k]
        (where,) = linear(choice.where[k].weight, choice.where[k].bias, means)
        powers = [math.exp(x) for x in linear(choice.what[k].weight, choice.what[k].bias, means)]
        wanted = theirs if len(ours[0]) == 4 else halved(theirs)
        side, total = range(len(ours[0])), 0.0
        for y in side:
            for x in side:
                pixel = [channel[y][x] for channel in ours]
                regressed = linear(regressor.weight, regressor.bias, pixel)
                for c, value in enumerate(regressed):
                    share = powers[c] / math.fsum(powers)
                    total += share * (value - wanted[c][y][x]) ** 2 / len(side) ** 2
        return min(max(where, 0.0), 6.0) * total

    def formula(students: list[Tensor], teachers: list[Tensor]) -> float:
        samples = range(len(students[0]))
        pairs = [(m, n) for m in range(2) for n in range(2)]
        each = [
            error(k, students[n][b].tolist(), teachers[m][b].tolist())
            for b in samples
            for k, (m, n) in enumerate(pairs)
        ]
        return math.fsum(each) / len(samples)

    return formula


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_every_channel_of_every_pair_of_stages_has_its_weight(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    made = learnt(build)
    assert_by_hand(made, by_hand(made), mask, seed)


def test_at_first_all_channels_count_alike(build: Build) -> None:
    made = build("l2tww", STUDENT, TEACHER)
    teachers = [torch.zeros(5, *shape).double() for shape in TEACHER]
    weights = made.choice(teachers)
    assert [tuple(each.shape) for each in weights] == [(5, 2), (5, 2), (5, 4), (5, 4)]
    for each in weights:
        torch.testing.assert_close(each, torch.full_like(each, 1 / each.shape[1]))
    torch.testing.assert_close(
        made.strengths(weights), torch.full((5, 4), 1 / 6, dtype=torch.float64)
    )


def test_at_first_no_channel_counts_more_whatever_the_teacher_shows(build: Build) -> None:
    made = build("l2tww", STUDENT, TEACHER)
    for each in made.choice([0.1 * torch.randn(5, *shape).double() for shape in TEACHER]):
        torch.testing.assert_close(each, each.mean(dim=1, keepdim=True).expand_as(each))
        assert each.all()


def test_pairs_are_in_the_order_of_the_teachers_stages(build: Build) -> None:
    made = build("l2tww", STUDENT, TEACHER)
    assert made.compared() == [Spot(1, 1), Spot(2, 1), Spot(1, 2), Spot(2, 2)]
    assert [(r.in_channels, r.out_channels) for r in made.regressors] == [
        (2, 2),
        (3, 2),
        (2, 4),
        (3, 4),
    ]


def test_the_spots_by_themselves_are_the_pairs_of_one_depth(build: Build) -> None:
    made = learnt(build)
    student = [torch.randn(5, *shape).double() for shape in STUDENT]
    teacher = [torch.randn(5, *shape).double() for shape in TEACHER]
    everybody = torch.ones(5, dtype=torch.bool)
    weights = made.choice(teacher)
    others = [x if k in (0, 3) else torch.zeros_like(x) for k, x in enumerate(weights)]
    expected = made.matching(student, teacher, everybody[:, None].expand(5, 2), others)
    alone = [made.loss(k, student[k], teacher[k], None, everybody) for k in range(2)]
    torch.testing.assert_close(sum(alone), expected)


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ({"steps": 0}, "steps must be 1 .* got 0"),
        ({"lr": 0.0}, "lr must be above 0, got 0.0"),
    ],
)
def test_options_that_learn_nothing_are_refused(
    option: dict[str, float], complaint: str, build: Build
) -> None:
    with pytest.raises(UserError, match=complaint):
        build("l2tww", STUDENT, TEACHER, **option)
