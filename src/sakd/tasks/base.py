"""The interface of tasks: the label loss, the measures of a network, and its embedding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from sakd.data import Batch, Prepared


class Task(ABC):
    """A task that a network learns from labels.

    Attributes:
        metric: The name of the measure that ranks networks, as in the columns ``val_top1`` and
            ``test_top1``.
        title: The metric as a heading, as in "test top-1 %".
        higher_is_better: Whether a larger value of the metric is better.
    """

    metric: ClassVar[str]
    title: ClassVar[str]
    higher_is_better: ClassVar[bool] = True

    @abstractmethod
    def losses(self, logits: Tensor, batch: Batch) -> Tensor:
        """Compute the loss (B,) of each of ``logits`` (B, K) on the labels of ``batch``."""

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Compute the mean of `losses`, a scalar."""
        return self.losses(logits, batch).mean()

    @abstractmethod
    def embedding(self, features: Sequence[Tensor]) -> Tensor:
        """Reduce the features, in order of depth and without the logits, to one vector (B, C)."""

    def embedded(self, depth: int) -> Sequence[int]:
        """Give the positions of the features, of ``depth`` many, that `embedding` reads."""
        return range(depth)

    @abstractmethod
    def measures(
        self, network: nn.Module, data: Prepared, device: torch.device | str
    ) -> Mapping[str, float]:
        """Measure ``network`` on ``data``: the `metric`, and other measures of the task.

        The network is put into evaluation mode and left there.
        """

    def best(self, values: Sequence[float]) -> int:
        """Find the position of the best of the metric's ``values``, the first of equals."""
        best = max(values) if self.higher_is_better else min(values)
        return values.index(best)
