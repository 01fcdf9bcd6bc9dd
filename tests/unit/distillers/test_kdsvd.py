"""The principal directions, their gradient, and their loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller
from sakd.distillers.parts.singular import SHARPNESS, _inverse, principal_directions

SHAPES = [(3, 3, 3), (4, 2, 2), (5, 3, 2)]
Direction = list[float]


def directions(sample: Tensor) -> list[Direction]:
    """Compute right singular vectors as eigenvectors of the channels' Gram matrix, in order."""
    maps = sample.flatten(1).numpy()
    _, vectors = np.linalg.eigh(maps @ maps.T)
    return vectors.T[::-1].tolist()


def described(student: Tensor, teacher: Tensor) -> tuple[Direction, Direction]:
    wanted = directions(teacher)[0]
    wanted = [math.copysign(1.0, math.fsum(wanted)) * x for x in wanted]
    candidates = directions(student)[: min(4, student[0].numel())]
    cosines = [math.fsum(x * y for x, y in zip(v, wanted, strict=True)) for v in candidates]
    best = max(range(len(cosines)), key=lambda k: abs(cosines[k]))
    return [math.copysign(1.0, cosines[best]) * x for x in candidates[best]], wanted


def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
    total, count = 0.0, len(student[0])
    for b in range(count):
        found = [described(s[b], t[b]) for s, t in zip(student, teacher, strict=True)]
        for (s1, t1), (s2, t2) in pairwise(found):
            for c in range(len(s1)):
                for d in range(len(s2)):
                    ours = math.exp(-((s1[c] - s2[d]) ** 2) / 8)
                    total += (ours - math.exp(-((t1[c] - t2[d]) ** 2) / 8)) ** 2
    return total / count


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
@example(mask=[True] * 5, seed=0)
def test_the_turn_of_the_principal_direction_is_compared(
    mask: list[bool],
    seed: int,
    build: Callable[..., Distiller],
    assert_by_hand: Callable[..., None],
) -> None:
    assert_by_hand(build("kdsvd", SHAPES, SHAPES), by_hand, mask, seed)


@pytest.mark.parametrize("shape", [(3, 9, 4), (3, 4, 9), (3, 5, 5)])
def test_the_gradient_of_directions_is_that_of_the_decomposition(shape: tuple[int, ...]) -> None:
    u, _, vh = torch.linalg.svd(torch.randn(shape, dtype=torch.float64), full_matrices=False)
    values = torch.arange(u.shape[2], 0, -1)
    matrices = (u * values @ vh).requires_grad_()
    weight = torch.randn(shape[2], shape[2], dtype=torch.float64)
    scale = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)

    def signless(vectors: Tensor) -> Tensor:
        return ((vectors * scale) @ vectors.mT * weight).sum()

    (ours,) = torch.autograd.grad(signless(principal_directions(matrices, 3)[0]), matrices)
    _, _, vh = torch.linalg.svd(matrices, full_matrices=False)
    (expected,) = torch.autograd.grad(signless(vh.mT[..., :3]), matrices)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 2, 5), (2, 5, 2)])
def test_there_are_no_more_directions_than_rows_and_columns(shape: tuple[int, ...]) -> None:
    vectors, values = principal_directions(torch.randn(shape), 4)
    assert (vectors.shape, values.shape) == ((2, shape[2], 2), (2, 2))


def test_no_rounding_makes_a_squared_singular_value_negative() -> None:
    rows, columns = torch.randn(50, 6, 1), torch.randn(50, 1, 4)
    _, values = principal_directions(rows @ columns, 4)
    assert (values >= 0).all()
    torch.testing.assert_close(values[:, 0], (rows * columns).square().sum(dim=(1, 2)))


@pytest.mark.parametrize("matrix", [torch.zeros(6, 4), torch.ones(6, 4), 1e4 * torch.eye(6, 4)])
def test_equal_singular_values_have_a_finite_gradient(matrix: Tensor) -> None:
    matrices = matrix[None].clone().requires_grad_()
    vectors, _ = principal_directions(matrices, 4)
    weight = torch.randn(vectors.shape)
    (gradient,) = torch.autograd.grad((vectors * weight).sum(), matrices)
    assert gradient.isfinite().all()


def test_the_inverse_of_a_gap_is_largest_at_the_sharpness_and_the_values_have_no_gradient() -> None:
    gaps = torch.tensor([0.5e-4, 1e-4, 2e-4, 1.0], dtype=torch.float64)
    expected = [1 / (x + 1e-8 / x) for x in gaps.tolist()]
    for scale in (1.0, 4.0):
        inverse = _inverse(scale * gaps, torch.tensor(scale))
        assert (scale * inverse).tolist() == pytest.approx(expected)
    vectors, values = principal_directions(torch.randn(2, 4, 3, requires_grad=True), 2)
    assert (vectors.requires_grad, values.requires_grad) == (True, False)


def test_nearly_equal_singular_values_have_a_gradient_of_bounded_size() -> None:
    matrix = torch.diag(torch.tensor([1.0, 1.0 - 1e-7, 0.5], dtype=torch.float64))
    matrices = matrix[None].requires_grad_()
    vectors, _ = principal_directions(matrices, 1)
    weight = torch.ones(vectors.shape, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((vectors * weight).sum(), matrices)
    assert 0 < gradient.abs().max() <= 1 / SHARPNESS


def test_a_teacher_of_zeros_has_no_direction_to_match(
    build: Callable[..., Distiller], loss_of: Callable[..., Tensor]
) -> None:
    student = [torch.randn(5, *shape, dtype=torch.float64) for shape in SHAPES]
    teacher = [torch.zeros_like(maps) for maps in student]
    everybody = torch.ones(5, dtype=torch.bool)
    assert loss_of(build("kdsvd", SHAPES, SHAPES), student, teacher, everybody) == 0
