"""The plain mean of several teachers."""

from __future__ import annotations

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.systems.parts.weighted import Weighted, WeightedSettings


class Average(Weighted[WeightedSettings]):
    """All teachers count alike: w_m = 1 / M.

    The gradient is that of a cross-entropy with the mean of the teachers' softened probabilities,
    from which the loss differs by a constant: the first part of You et al., KDD 2017
    (doi 10.1145/3097983.3098135), less its triplets. Equation: see `Weighted`.
    """

    def shares(self, student: Tensor, teachers: Tensor, batch: Batch) -> Tensor:
        """Give equal shares, see `Weighted.shares`."""
        size, count, _ = teachers.shape
        return torch.full((size, count), 1 / count, dtype=teachers.dtype, device=teachers.device)
