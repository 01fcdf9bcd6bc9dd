"""Local correlations equal their formula, whatever the sizes of the maps."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller
from sakd.distillers.lcc import cut
from sakd.distillers.parts.maps import units
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]
LossOf = Callable[..., Tensor]
Patches = list[list[list[float]]]

STUDENT = [
    [[[1.0, 2.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]]],
    [[[2.0, 0.0], [1.0, 1.0]], [[1.0, 1.0], [0.0, 3.0]]],
]
TEACHER = [
    [[[1.0, 0.0], [1.0, 2.0]], [[1.0, 1.0], [0.0, 1.0]]],
    [[[0.0, 1.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 0.0]]],
]


def cut_by_hand(maps: list[list[list[list[float]]]], side: int) -> Patches:
    """Cut square maps into 2 x 2 patches of ``side`` x ``side``."""
    return [
        [
            [
                channel[side * i + y][side * j + x]
                for channel in image
                for y in range(side)
                for x in range(side)
            ]
            for i in (0, 1)
            for j in (0, 1)
        ]
        for image in maps
    ]


def cosine(x: list[float], y: list[float]) -> float:
    product = math.fsum(a * b for a, b in zip(x, y, strict=True))
    return product / (math.hypot(*x) * math.hypot(*y))


def means_by_hand(student: Patches, teacher: Patches) -> tuple[float, float, float]:
    within, aligned, across = [], [], []
    for b in range(len(student)):
        for c in range(len(student)):
            for p in range(4):
                for q in range(4):
                    ours = cosine(student[b][p], student[c][q])
                    error = (ours - cosine(teacher[b][p], teacher[c][q])) ** 2
                    across.append(error)
                    if b == c:
                        within.append(error)
                    if p == q:
                        aligned.append(error)
    within_mean, aligned_mean, across_mean = (
        math.fsum(errors) / len(errors) for errors in (within, aligned, across)
    )
    return within_mean, aligned_mean, across_mean


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
@example(mask=[False, True, False, False, False], seed=0)
def test_patches_of_the_chosen_are_correlated_within_and_across_images(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    """The teacher's maps are larger, and so are its patches."""

    def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
        patches = cut_by_hand(student[0].tolist(), 1), cut_by_hand(teacher[0].tolist(), 2)
        within, aligned, across = means_by_hand(*patches)
        return within + 2 * aligned + 3 * across

    options = {"grid": 2, "aligned": 2.0, "across": 3.0}
    lcc = build("lcc", [(2, 2, 2)], [(3, 4, 4)], **options)
    assert_by_hand(lcc, by_hand, mask, seed)


@pytest.mark.parametrize(
    ("term", "expected"), [("within", 0.196264), ("aligned", 0.112829), ("across", 0.205697)]
)
def test_an_example_by_hand(term: str, expected: float, build: Build, loss_of: LossOf) -> None:
    options = {"within": 0.0, "aligned": 0.0, "across": 0.0} | {term: 1.0}
    lcc = build("lcc", [(2, 2, 2)], [(2, 2, 2)], **options)
    student, teacher = (torch.tensor(maps, dtype=torch.float64) for maps in (STUDENT, TEACHER))
    loss = loss_of(lcc, [student], [teacher], torch.ones(2, dtype=torch.bool))
    assert float(loss) == pytest.approx(expected, abs=1e-6)


def test_a_grid_is_no_finer_than_the_smaller_map(build: Build) -> None:
    lcc = build("lcc", [(2, 8, 3)], [(4, 6, 5)])
    assert (lcc.rows, lcc.columns) == (4, 3)
    assert cut(torch.randn(5, 2, 8, 3), 4, 3).shape == (5, 12, 4)
    assert cut(torch.randn(5, 4, 6, 5), 4, 3).shape == (5, 12, 4)
    with pytest.raises(UserError, match="grid must be 1 or more, got 0"):
        build("lcc", [(2, 8, 3)], [(4, 6, 5)], grid=0)


def test_a_patch_of_zeros_has_no_direction_and_no_gradient() -> None:
    rows = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    scaled = units(rows)
    (gradient,) = torch.autograd.grad(scaled.sum(), rows)
    torch.testing.assert_close(scaled.detach(), torch.tensor([[0.0, 0.0], [0.6, 0.8]]))
    assert not gradient[0].any()
    assert gradient[1].any()
