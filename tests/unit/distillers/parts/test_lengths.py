"""Lengths, distances and sizes: which count as zero, and which stay as they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sakd.distillers import Distiller, l2tww, reviewkd
from sakd.distillers.irg import edges
from sakd.distillers.nst import discrepancy
from sakd.distillers.parts.maps import (
    pool_to_smaller,
    pooled,
    sample_means,
    sample_sums,
    units,
)
from sakd.distillers.parts.relations import RelationBank
from sakd.distillers.parts.shares import shares_of_largest
from sakd.distillers.rkd import distances

Build = Callable[..., Distiller]
MANY = 32
"""Rows enough for torch to take distances by matrix products, unless it is asked not to."""


@pytest.mark.parametrize(("length", "expected"), [(0.99e-6, 0.0), (1.01e-6, 1.0)])
def test_rows_count_as_zero_below_the_smallest_length(length: float, expected: float) -> None:
    row = length * torch.tensor([[0.6, 0.8]], dtype=torch.float64)
    assert float(units(row).norm()) == pytest.approx(expected)


def test_numbers_too_small_to_be_divided_stay_as_they_are() -> None:
    tiny = torch.finfo(torch.float64).tiny
    numbers = tiny * torch.tensor([0.0, 0.25, 0.5], dtype=torch.float64)
    assert torch.equal(shares_of_largest(numbers), numbers)
    assert shares_of_largest(4 * numbers).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("size", [0.5e-12, 1.5e-12, 1e-3])
def test_both_ways_to_compare_neurons_scale_the_smallest_alike(size: float) -> None:
    """More positions than channels make it compare channels, fewer make it compare positions."""
    source = torch.Generator().manual_seed(0)
    s, t = torch.randn(2, 3, 2, 2, generator=source, dtype=torch.float64)
    s = size * s / s.norm(dim=2, keepdim=True)
    wide = torch.zeros(3, 2, 40, dtype=torch.float64)
    spread = [torch.cat([x, wide], dim=2) for x in (s, t)]  # zeros change no product
    torch.testing.assert_close(discrepancy(s, t), discrepancy(*spread))


def test_relations_do_not_depend_on_the_scale_of_embeddings() -> None:
    embedding = torch.randn(5, 3, dtype=torch.float64)
    pairs = torch.ones(5, 5, dtype=torch.float64)
    torch.testing.assert_close(distances(embedding / 100, pairs), distances(embedding, pairs))


def test_maps_are_averaged_to_the_smaller_height_and_the_smaller_width() -> None:
    student, teacher = torch.randn(2, 3, 5, 3), torch.randn(2, 4, 4, 7)
    ours, theirs = pool_to_smaller(student, teacher)
    assert (ours.shape, theirs.shape) == ((2, 3, 4, 3), (2, 4, 4, 3))
    torch.testing.assert_close(ours[:, :, 0], student[:, :, :2].mean(dim=2))
    torch.testing.assert_close(theirs[..., 0], teacher[..., :3].mean(dim=3))


def test_sums_and_means_are_of_samples() -> None:
    numbers = torch.arange(12.0).view(2, 3, 2)
    assert sample_sums(numbers).tolist() == [15.0, 51.0]
    assert sample_means(numbers).tolist() == [2.5, 8.5]


@pytest.mark.parametrize(
    "fit",
    [
        lambda maps: pooled(maps, 3, 2),
        lambda maps: l2tww.resized(maps, torch.zeros(1, 1, 3, 2)),
        lambda maps: reviewkd.resized(maps, (3, 2)),
    ],
    ids=["averaged", "bilinear", "nearest"],
)
def test_maps_that_have_the_size_already_are_handed_on(fit: Callable[[Tensor], Tensor]) -> None:
    """So that no operation on a GPU without a deterministic gradient has a part in it."""
    maps = torch.randn(2, 4, 3, 2)
    assert fit(maps) is maps
    assert fit(torch.randn(2, 4, 6, 2)).shape == fit(torch.randn(2, 4, 3, 4)).shape == maps.shape


def by_bank(rows: Tensor, _: Build) -> Tensor:
    bank = RelationBank(MANY, rows.shape[1], temperature=1.0, momentum=0.5)
    bank.rows = rows
    return bank.distances(rows, torch.arange(MANY).view(MANY, 1))


def by_triplets(rows: Tensor, build: Build) -> Tensor:
    shape = tuple(rows.shape[1:])
    return build("triplet", [shape], [shape]).missing(rows.flip(0), rows)


@pytest.mark.parametrize(
    "compare", [by_bank, by_triplets, lambda rows, _: edges(rows, torch.ones(MANY).bool())]
)
def test_distances_stay_exact_in_large_batches_far_from_the_origin(
    compare: Callable[[Tensor, Build], Tensor], build: Build
) -> None:
    source = torch.Generator().manual_seed(0)
    rows = torch.randint(-4, 5, (MANY, 4), generator=source).float()
    far, near = (compare(x, build) for x in (rows + 2**12, rows))
    torch.testing.assert_close(far, near, atol=1e-2, rtol=0)
