"""What the labels say."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from sakd.data import Batch


def label_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of ``logits`` (B, K) with the labels, as a mean over the batch.

    Where images were mixed, the labels are in the same shares.
    """
    loss = cross_entropy(logits, batch.labels)
    if batch.mixture is None:
        return loss
    partner, share = batch.mixture
    return share * loss + (1 - share) * cross_entropy(logits, partner)
