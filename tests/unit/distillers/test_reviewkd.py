"""Knowledge review equals its formula, position by position."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.distillers import Distiller
from sakd.distillers.reviewkd import context_error

Maps = list[list[list[float]]]
Build = Callable[..., Distiller]
STUDENT = [(2, 4, 4), (3, 2, 2)]
TEACHER = [(2, 2, 2), (4, 3, 3)]


def convolved(maps: Maps, weight: Tensor, bias: Tensor | None = None) -> Maps:
    """Convolve with stride 1, keeping the size."""
    kernel = weight.tolist()
    shift = [0.0] * len(kernel) if bias is None else bias.tolist()
    reach = len(kernel[0][0]) // 2
    height, width = len(maps[0]), len(maps[0][0])

    def at(out: int, i: int, j: int) -> float:
        terms = [
            kernel[out][c][a][b] * maps[c][i + a - reach][j + b - reach]
            for c in range(len(maps))
            for a in range(2 * reach + 1)
            for b in range(2 * reach + 1)
            if 0 <= i + a - reach < height and 0 <= j + b - reach < width
        ]
        return math.fsum(terms) + shift[out]

    return [
        [[at(out, i, j) for j in range(width)] for i in range(height)] for out in range(len(kernel))
    ]


def normalised(maps: Maps, norm: nn.Module) -> Maps:
    """Apply a new batch norm in evaluation mode: mean 0, variance 1."""
    scale = 1 / math.sqrt(1 + norm.eps)
    return [[[x * scale for x in row] for row in channel] for channel in maps]


def nearest(maps: Maps, height: int, width: int) -> Maps:
    rows, columns = len(maps[0]), len(maps[0][0])
    return [
        [[m[i * rows // height][j * columns // width] for j in range(width)] for i in range(height)]
        for m in maps
    ]


def fused(student: Maps, deeper: Maps | None, size: tuple[int, int], fusion: nn.Module) -> Maps:
    own = normalised(convolved(student, fusion.entry[0].weight), fusion.entry[1])
    if deeper is None:
        return nearest(own, *size)
    other = nearest(deeper, len(own[0]), len(own[0][0]))
    shares = convolved(own + other, fusion.attention.weight, fusion.attention.bias)
    share = [[[1 / (1 + math.exp(-x)) for x in row] for row in channel] for channel in shares]
    sums = [
        [
            [
                share[0][i][j] * a + share[1][i][j] * b
                for j, (a, b) in enumerate(zip(*rows, strict=True))
            ]
            for i, rows in enumerate(zip(*both, strict=True))
        ]
        for both in zip(own, other, strict=True)
    ]
    return nearest(sums, *size)


def pooled(maps: Maps, side: int) -> Maps:
    """Average over a grid of ``side`` by ``side`` cells, which may overlap."""
    height, width = len(maps[0]), len(maps[0][0])

    def cell(size: int, k: int) -> range:
        return range(k * size // side, -(-(k + 1) * size // side))

    def mean(m: list[list[float]], a: int, b: int) -> float:
        values = [m[i][j] for i in cell(height, a) for j in cell(width, b)]
        return math.fsum(values) / len(values)

    return [[[mean(m, a, b) for b in range(side)] for a in range(side)] for m in maps]


def squared_error(s: Maps, t: Maps) -> float:
    flat = [[x for channel in maps for row in channel for x in row] for maps in (s, t)]
    return math.fsum((a - b) ** 2 for a, b in zip(*flat, strict=True)) / len(flat[0])


def context_by_hand(s: Maps, t: Maps) -> float:
    total, weight, weights = squared_error(s, t), 1.0, 1.0
    for level in (4, 2, 1):
        if level < len(s[0]):
            weight /= 2
            weights += weight
            total += weight * squared_error(pooled(s, level), pooled(t, level))
    return total / weights


@settings(max_examples=5)
@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_every_stage_is_reviewed_with_the_deeper_ones(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    review = build("reviewkd", STUDENT, TEACHER)
    first, last = review.fusions

    def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
        total = 0.0
        for sample in zip(*student, *teacher, strict=True):
            s1, s2, t1, t2 = (maps.tolist() for maps in sample)
            deep = fused(s2, None, (3, 3), last)
            shallow = fused(s1, deep, (2, 2), first)
            for passed, fusion, wanted in ((shallow, first, t1), (deep, last, t2)):
                shown = normalised(convolved(passed, fusion.exit[0].weight), fusion.exit[1])
                total += context_by_hand(shown, wanted)
        return total / len(student[0])

    assert_by_hand(review, by_hand, mask, seed)


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5, 8])
def test_context_is_compared_on_all_grids_that_are_coarser_than_the_map(side: int) -> None:
    student, teacher = torch.randn(2, 3, 2, side, side, dtype=torch.float64)
    expected = [
        context_by_hand(s.tolist(), t.tolist()) for s, t in zip(student, teacher, strict=True)
    ]
    ours = context_error(student, teacher).tolist()
    assert ours == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_the_shorter_side_says_which_grids_are_coarser(shape: tuple[int, int]) -> None:
    student, teacher = torch.randn(2, 3, 2, *shape, dtype=torch.float64)
    apart = student - teacher
    whole, means = (x.square().mean(dim=(1, 2, 3)) for x in (apart, apart.mean((2, 3), True)))
    torch.testing.assert_close(context_error(student, teacher), (whole + 0.5 * means) / 1.5)


def test_convolutions_begin_with_the_scale_that_keeps_responses(build: Build) -> None:
    entry = build("reviewkd", [(300, 2, 2)], [(300, 2, 2)]).fusions[0].entry[0]
    assert float(entry.weight.detach().std()) == pytest.approx(300**-0.5, rel=0.05)


def test_the_fusion_is_as_wide_as_the_students_last_map_but_not_wider_than_is_wanted(
    build: Build,
) -> None:
    assert build("reviewkd", STUDENT, TEACHER).fusions[0].entry[0].out_channels == 3
    narrow = build("reviewkd", STUDENT, TEACHER, most_channels=2)
    assert narrow.fusions[0].entry[0].out_channels == 2
    wide = build("reviewkd", [(520, 1, 1)], [(2, 1, 1)])
    assert wide.fusions[0].entry[0].out_channels == 512


def test_a_deeper_stage_learns_from_a_shallower_one_that_reviews_it(build: Build) -> None:
    review = build("reviewkd", STUDENT, TEACHER)
    students = [torch.randn(5, *s, dtype=torch.float64, requires_grad=True) for s in STUDENT]
    teachers = [torch.randn(5, *s, dtype=torch.float64) for s in TEACHER]
    chosen = torch.zeros(5, 2, dtype=torch.bool)
    chosen[0, 0] = chosen[1, 1] = True
    loss = review.losses(students, teachers, None, chosen)
    shallow, deep = (g.flatten(1).any(dim=1) for g in torch.autograd.grad(loss, students))
    assert shallow.tolist() == [True, False, False, False, False]
    assert deep.tolist() == [True, True, False, False, False]


def test_a_spot_by_itself_is_compared_without_the_deeper_ones(build: Build) -> None:
    review = build("reviewkd", STUDENT, TEACHER)
    student, teacher = (torch.randn(5, *s[0], dtype=torch.float64) for s in (STUDENT, TEACHER))
    loss = review.loss(0, student, teacher, None, torch.ones(5, dtype=torch.bool))
    names, trained = zip(*review.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, trained, allow_unused=True)
    used = {name for name, gradient in zip(names, gradients, strict=True) if gradient is not None}
    parts = ("fusions.0.entry", "fusions.0.exit")
    assert used == {name for name in names if name.startswith(parts)}
