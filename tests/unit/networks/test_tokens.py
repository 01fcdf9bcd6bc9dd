"""Maps and tokens are two ways to write the same."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sakd.networks.adapters import MapToTokens, MeanOverPositions, TokensToMap, token_grid


@pytest.mark.parametrize(
    ("count", "grid"),
    [
        (196, (0, 14, 14)),
        (197, (1, 14, 14)),
        (201, (5, 14, 14)),
        (5, (1, 2, 2)),
        (1, (0, 1, 1)),
        (97, (0, 1, 97)),
        (24, (0, 1, 24)),
    ],
)
def test_tokens_are_laid_out_as_a_square_after_a_few_others_or_as_a_row(
    count: int, grid: tuple[int, int, int]
) -> None:
    assert token_grid(count) == grid


@given(st.integers(1, 100))
def test_a_grid_holds_every_token(count: int) -> None:
    grid = token_grid(count)
    assert grid.prefix + grid.rows * grid.columns == count


@given(st.integers(1, 60))
def test_a_map_of_tokens_has_every_token_in_its_place(count: int) -> None:
    grid = token_grid(count)
    tokens = torch.randn(2, count, 3)
    there = TokensToMap(grid)(tokens)
    assert there.shape == (2, 3, grid.rows, grid.columns)
    place = count - 1 - grid.prefix
    row, column = divmod(place, grid.columns)
    assert torch.equal(there[:, :, row, column], tokens[:, count - 1])
    back = MapToTokens(grid)(there)
    assert torch.equal(back[:, grid.prefix :], tokens[:, grid.prefix :])
    for k in range(grid.prefix):
        torch.testing.assert_close(back[:, k], there.mean(dim=(2, 3)))


def test_the_mean_over_positions_is_that_of_maps_and_of_tokens() -> None:
    maps = torch.randn(2, 3, 4, 5)
    expected = maps.mean(dim=(2, 3))
    torch.testing.assert_close(MeanOverPositions()(maps), expected)
    torch.testing.assert_close(MeanOverPositions()(maps.flatten(2).mT), expected)
