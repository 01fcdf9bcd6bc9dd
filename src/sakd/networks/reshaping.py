"""From maps to tokens to vectors, and back."""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn

MOST_PREFIX_TOKENS = 5
"""A class token and four registers."""


class TokenGrid(NamedTuple):
    """How tokens stand: ``prefix`` ones without a place, then rows of columns."""

    prefix: int
    rows: int
    columns: int


def token_grid(count: int) -> TokenGrid:
    """The grid of that many tokens: square after as few prefix tokens as possible, else one row.

    >>> token_grid(197)
    TokenGrid(prefix=1, rows=14, columns=14)
    """
    for prefix in range(min(count, MOST_PREFIX_TOKENS + 1)):
        side = isqrt(count - prefix)
        if side * side == count - prefix:
            return TokenGrid(prefix, side, side)
    return TokenGrid(0, 1, count)


class TokensToMap(nn.Module):
    """Tokens (B, N, C) as a map (B, C, rows, columns); those without a place are left out."""

    def __init__(self, grid: TokenGrid) -> None:
        """The tokens stand on ``grid``."""
        super().__init__()
        self.grid = grid

    def forward(self, x: Tensor) -> Tensor:
        """Put every token in its place."""
        tokens = x[:, self.grid.prefix :]
        return tokens.mT.reshape(len(x), -1, self.grid.rows, self.grid.columns)


class MapToTokens(nn.Module):
    """A map (B, C, rows, columns) as tokens (B, N, C); those without a place get the mean."""

    def __init__(self, grid: TokenGrid) -> None:
        """The tokens stand on ``grid``."""
        super().__init__()
        self.grid = grid

    def forward(self, x: Tensor) -> Tensor:
        """Line every position up."""
        tokens = x.flatten(2).mT
        prefix = tokens.mean(dim=1, keepdim=True).expand(-1, self.grid.prefix, -1)
        return torch.cat([prefix, tokens], dim=1)


class MeanOverPositions(nn.Module):
    """A map (B, C, H, W) or tokens (B, N, C) as a vector (B, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """Average over the positions."""
        tokens = x.flatten(2).mT if x.dim() > len("BNC") else x
        return tokens.mean(dim=1)
