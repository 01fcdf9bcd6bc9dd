"""A memory that is seen from the images of the batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from sakd.distillers.parts.memory import MemoryBank

SHIFT = 1e-6
"""Added to every element of a difference, so that each has a direction."""


class RelationBank(MemoryBank):
    """A memory whose rows are compared by the directions in which they lie from one another.

    Each row of the batch is an anchor a, from which all others are seen: the relation of b to a is
    the unit vector along b - a. Rows start at unit length.
    """

    def __init__(self, size: int, width: int, *, temperature: float, momentum: float) -> None:
        """See `MemoryBank`."""
        super().__init__(size, width, temperature=temperature, momentum=momentum)
        self.rows.copy_(normalize(self.rows))

    def forward(self, embedding: Tensor, contrast: Tensor, chosen: Tensor) -> Tensor:
        """Score embeddings against rows, seen from each anchor.

        Args:
            embedding: (B, D), v.
            contrast: (B, K) positions of the rows u; the first are those of the batch.
            chosen: (B,) bool.

        Returns:
            exp(<v - a, u - a> / T) / Z (B, B, K), the anchors a in the second axis, and the
            differences of unit length; see `scaled`.
        """
        return self.scaled(self.products(embedding, contrast), chosen[:, None] & chosen)

    def products(self, embedding: Tensor, contrast: Tensor) -> Tensor:
        """Cosines (B, B, K) between relations, see `forward`.

        By the products with u and with a, as no tensor holds the differences u - a themselves,
        (B, B, K, D).
        """
        index = contrast[:, 0]
        anchors = self.rows[index] - SHIFT
        own = normalize(embedding[:, None] - anchors, dim=2)
        along = own @ self.rows[contrast].mT - (own * anchors).sum(dim=2, keepdim=True)
        # An anchor is seen from itself along (1, ..., 1), which rounding would hide.
        itself = own.sum(dim=2, keepdim=True) / own.shape[2] ** 0.5
        itself_there = contrast[:, None] == index[:, None]
        return torch.where(itself_there, itself, along / self.distances(anchors, contrast))

    def distances(self, anchors: Tensor, contrast: Tensor) -> Tensor:
        """Measure how far the rows at ``contrast`` (B, K) are from ``anchors`` (A, D): (B, A, K).

        Either the distances of all rows are taken, or those of the rows at ``contrast``, whichever
        are fewer.
        """
        if len(self.rows) <= contrast.numel():
            return _distances(anchors, self.rows)[:, contrast].transpose(0, 1)
        return _distances(anchors.expand(len(contrast), -1, -1), self.rows[contrast])


def _distances(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
