"""The interface of a task: what labels demand, how a network is measured, what is an embedding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from sakd.data import Batch, DataCard, Images


class Task(ABC):
    """Something that a network learns from labels.

    Attributes:
        metric: Name of the measure that ranks networks, as in the columns ``val_top1`` and
            ``test_top1``.
        title: The same for people, as in "test top-1 %".
        higher_is_better: Whether a larger value of the metric is better.
    """

    metric: ClassVar[str]
    title: ClassVar[str]
    higher_is_better: ClassVar[bool] = True

    @abstractmethod
    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The loss that the labels of ``batch`` demand of ``logits``: a scalar, over the batch."""

    @abstractmethod
    def embedding(self, features: Sequence[Tensor]) -> Tensor:
        """One vector (B, C) per sample, from the features in order of depth, without the logits."""

    @abstractmethod
    def measures(
        self, network: nn.Module, images: Images, card: DataCard, device: torch.device | str
    ) -> Mapping[str, float]:
        """Measure ``network`` on ``images``: the `metric`, and whatever else is of interest.

        The network is put into evaluation mode and left there.
        """

    def best(self, values: Sequence[float]) -> int:
        """The position of the best of the metric's ``values``, the first of equals."""
        best = max(values) if self.higher_is_better else min(values)
        return values.index(best)
