"""A gate: how much each branch counts for an image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Gate(nn.Module):
    """Weights g = softmax(ReLU(BN(W v + b))) of branches, for vectors v.

    Lan et al., NeurIPS 2018, arXiv:1806.04606.
    """

    def __init__(self, inputs: int, branches: int) -> None:
        """Weigh so many ``branches`` by vectors of the width ``inputs``."""
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, branches), nn.BatchNorm1d(branches))

    def forward(self, vectors: Tensor) -> Tensor:
        """Map vectors (B, C) to weights (B, branches), which sum to 1."""
        return torch.softmax(self.layers(vectors).relu(), dim=1)


def gated(logits: Sequence[Tensor], weights: Tensor) -> Tensor:
    """Sum ``logits`` (B, K), one per branch, by their ``weights`` (B, branches)."""
    return torch.einsum("bm,bkm->bk", weights, torch.stack(list(logits), dim=2))
