"""Smoothed labels: a share of the probability goes to the classes other than the label."""

from __future__ import annotations

from functools import partial

from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.data import Batch
from sakd.tasks.base import Task
from sakd.tasks.classification import CLASSIFICATION, Classification


class Smoothed(Classification):
    """Classification by labels that are smoothed; networks are measured by the labels themselves.

    The target has ``1 - epsilon`` at the label and ``epsilon / (K - 1)`` at each other class, of K.
    """

    def __init__(self, epsilon: float) -> None:
        """Leave the share ``epsilon`` to the other classes."""
        self.epsilon = epsilon

    def losses(self, logits: Tensor, batch: Batch) -> Tensor:
        """Compute the cross-entropy (B,) of ``logits`` (B, K) with the smoothed labels."""
        own = CLASSIFICATION.losses(logits, batch)
        return (1 - self.epsilon) * own + self.epsilon * other_classes(logits, batch)

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Compute `smoothed_loss`."""
        return smoothed_loss(logits, batch, CLASSIFICATION, self.epsilon)


def smoothed_loss(logits: Tensor, batch: Batch, task: Task, epsilon: float) -> Tensor:
    """Compute the mean cross-entropy with smoothed labels, see `Smoothed`, a scalar.

    At 0 the loss is that of ``task``, to the bit. Where images were mixed, both labels are
    smoothed.

    Args:
        logits: (B, K).
        batch: The images and their labels.
        task: Gives the loss on the labels themselves.
        epsilon: The share of the other classes.
    """
    others = other_classes(logits, batch).mean()
    return (1 - epsilon) * task.loss(logits, batch) + epsilon * others


def other_classes(logits: Tensor, batch: Batch) -> Tensor:
    """Compute the cross-entropy (B,) of ``logits`` (B, K) with all classes that are not the label.

    The target has ``1 / (K - 1)`` at each of them.
    """
    return batch.by_labels(partial(_other_classes, log_softmax(logits, dim=1)))


def _other_classes(log_probabilities: Tensor, labels: Tensor) -> Tensor:
    own = log_probabilities.gather(1, labels[:, None])[:, 0]
    return (own - log_probabilities.sum(dim=1)) / (log_probabilities.shape[1] - 1)
