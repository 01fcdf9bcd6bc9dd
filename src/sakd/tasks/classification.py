"""Classification: one label per image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sakd.data import Batch, Prepared, evaluation_batches
from sakd.tasks.base import Task

LARGEST_BATCH, BATCH_PIXELS = 500, 2**22  # images, and pixels of all of them: 83 of 224 x 224


class Classification(Task):
    """Cross-entropy on the labels, measured by the share of correctly classified images."""

    metric = "top1"
    title = "top-1 %"

    def losses(self, logits: Tensor, batch: Batch) -> Tensor:
        """Compute the cross-entropy (B,) of ``logits`` (B, K) with the labels.

        Where images were mixed, the labels count in the same shares.
        """
        return batch.by_labels(partial(cross_entropy, logits, reduction="none"))

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Compute the mean of `losses`; in one operation, unless every image has its own share."""
        if batch.mixture is not None and batch.mixture.share.dim():
            return super().loss(logits, batch)
        return batch.by_labels(partial(cross_entropy, logits))  # rounds in its own way

    def embedding(self, features: Sequence[Tensor]) -> Tensor:
        """Give the last feature, which is a vector (B, C)."""
        return features[-1]

    def embedded(self, depth: int) -> Sequence[int]:
        """Give the last position."""
        return (depth - 1,)

    @torch.no_grad()
    def measures(
        self, network: nn.Module, data: Prepared, device: torch.device | str = "cpu"
    ) -> Mapping[str, float]:
        """Measure ``network`` on ``data`` in one pass, as fractions of 1.

        Returns:
            ``top1``, the share of images whose most likely class is the right one; and
            ``balanced``, the mean of that share over the classes that have images. On uneven
            classes a network that knows only the largest has a low one.
        """
        network.eval()
        images, card = data.images, data.card
        pixels = card.height * card.width
        count = max(1, min(LARGEST_BATCH, BATCH_PIXELS // pixels))
        batches = evaluation_batches(images, card.mean, card.std, batch_size=count, device=device)
        found = [(y, network(x).argmax(dim=1) == y) for x, y in batches]
        labels, right = (torch.cat(part).cpu() for part in zip(*found, strict=True))
        counts = torch.bincount(labels).double()
        recall = torch.bincount(labels[right], minlength=len(counts)) / counts
        return {"top1": int(right.sum()) / len(images), "balanced": float(recall.nanmean())}


CLASSIFICATION = Classification()
