"""The shortest vector among mixtures of a few, by enumeration of the bounds that hold it."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-9
"""Added to the squared lengths, so that equal vectors share alike."""
SLACK = 1e-7
"""By so much a solution may miss a bound, through rounding."""

FREE, LOWER, UPPER = range(3)


def shortest_mixture(gram: Tensor, most: float) -> Tensor:
    """Find the shares a (M,) for which |sum_m a_m u_m|^2 is least, 0 <= a_m <= most, sum a = 1.

    Every assignment of the shares to a bound, or to none, gives linear equations; the best of the
    solutions that keep all bounds is the minimum. There are 3^M, so M should be small. An
    assignment without a free share has no equations, and another one gives the same shares.

    Args:
        gram: The products (M, M) of the vectors u.
        most: The upper bound, at least 1 / M.
    """
    count = len(gram)
    places = 3 ** torch.arange(count, device=gram.device)
    states = torch.arange(3**count, device=gram.device)[:, None] // places % 3
    free = (states == FREE).double()
    given = most * (states == UPPER).double()
    found = torch.linalg.solve_ex(_equations(gram.double(), free), _sides(free, given))
    shares: Tensor = found.result[:, :count, 0]
    fine = (free.any(dim=1)[:, None] & (shares >= -SLACK) & (shares <= most + SLACK)).all(dim=1)
    lengths = torch.einsum("pi,ij,pj->p", shares, gram.double(), shares)
    best = torch.where(fine, lengths, torch.inf).argmin()
    return torch.clamp(shares[best], 0, most).to(gram.dtype)


def _equations(gram: Tensor, free: Tensor) -> Tensor:
    """Make the matrices (P, M + 1, M + 1) for the patterns ``free`` (P, M).

    The last unknown is the multiplier of the condition on the sum.
    """
    patterns, count = free.shape
    unit = torch.eye(count, dtype=gram.dtype, device=gram.device)
    held = free[:, :, None]
    matrix = gram.new_zeros(patterns, count + 1, count + 1)
    matrix[:, :count, :count] = held * (gram + RIDGE * unit) + (1 - held) * unit
    matrix[:, :count, count] = free
    matrix[:, count, :count] = 1
    return matrix


def _sides(free: Tensor, given: Tensor) -> Tensor:
    """Make the right sides (P, M + 1, 1): the ``given`` shares (P, M) at bounds; the sum of 1."""
    sums = free.new_ones(len(free), 1)
    return torch.cat([(1 - free) * given, sums], dim=1)[:, :, None]
