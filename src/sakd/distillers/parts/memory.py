"""A memory of every training image's embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize


class MemoryBank(nn.Module):
    """Embeddings (N, D) of all training images, as they were when each was last seen.

    Wu et al., CVPR 2018, arXiv:1805.01978. Rows and scale are buffers, so they are part of
    every checkpoint, and no gradient passes through them.
    """

    rows: Tensor
    scale: Tensor

    def __init__(self, size: int, width: int, *, temperature: float, momentum: float) -> None:
        """Start with random rows of about unit length, and no scale."""
        super().__init__()
        self.temperature = temperature
        self.momentum = momentum
        bound = (3 / width) ** 0.5
        self.register_buffer("rows", torch.empty(size, width).uniform_(-bound, bound))
        self.register_buffer("scale", torch.zeros(()))

    def forward(self, embedding: Tensor, contrast: Tensor, chosen: Tensor) -> Tensor:
        """exp(<v, u> / T) / Z (B, K) of embeddings v (B, D) and the rows u at ``contrast`` (B, K).

        Z, the scale, is N times the mean score of the first batch that has anybody chosen.
        """
        scores = (self.products(embedding, contrast) / self.temperature).exp()
        with torch.no_grad():
            mask = chosen.to(scores.dtype)
            mean = (scores.mean(dim=1) * mask).sum() / mask.sum().clamp(min=1)
            self.scale = torch.where(self.scale > 0, self.scale, mean * len(self.rows))
        return scores / torch.where(self.scale > 0, self.scale, 1.0)

    def products(self, embedding: Tensor, contrast: Tensor) -> Tensor:
        """<v, u> (B, K): by one product with all rows where that takes less memory than to copy."""
        if len(self.rows) <= contrast.shape[1] * self.rows.shape[1]:
            return (embedding @ self.rows.T).gather(1, contrast)
        return (self.rows[contrast] @ embedding[:, :, None]).squeeze(2)

    @torch.no_grad()
    def follow(self, embedding: Tensor, index: Tensor, chosen: Tensor) -> None:
        """Move the rows at ``index`` (B,) towards ``embedding``, those of the chosen samples.

        The rows become a new tensor, as the gradient of this batch still needs the old ones.
        """
        old = self.rows[index]
        new = normalize(self.momentum * old + (1 - self.momentum) * embedding)
        self.rows = self.rows.index_copy(0, index, torch.where(chosen[:, None], new, old))
