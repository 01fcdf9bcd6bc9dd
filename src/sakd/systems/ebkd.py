"""Teachers weighted by how sure they are: EBKD."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.data import Batch
from sakd.systems.parts.weighted import Weighted, WeightedSettings


class EBKD(Weighted[WeightedSettings]):
    """Teachers count the less, the higher the entropy H_m of their probabilities at T = 1.

    w_m = (1 - H_m / sum_j H_j) / M. The numerators of a sample sum to M - 1, so all shares
    together count (M - 1) / M; so in the code of CA-MKD (arXiv:2201.00007), where it is a
    baseline. Where no entropy is left, all count alike. Equation: see `Weighted`.
    """

    def shares(self, student: Tensor, teachers: Tensor, batch: Batch) -> Tensor:
        """Compare entropies, see `Weighted.shares`."""
        logs = log_softmax(teachers, dim=2)
        entropy = -(logs.exp() * logs).sum(dim=2)
        total, count = entropy.sum(dim=1, keepdim=True), teachers.shape[1]
        parts = torch.where(total > 0, entropy / total, 1 / count)
        return (1 - parts) / count
