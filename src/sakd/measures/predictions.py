"""The logits of a network for every image of a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sakd.data import Prepared
from sakd.tasks import Task


@dataclass(frozen=True, eq=False)
class Predictions:
    """A network's answers for N images of K classes, in the order of their split, on the CPU.

    Attributes:
        labels: The right classes, (N,) int64.
        logits: (N, K) float32.
        predicted: The most likely classes, (N,) int64.
        measures: What the task measures on the same pass.
    """

    labels: Tensor
    logits: Tensor
    predicted: Tensor
    measures: Mapping[str, float]

    @property
    def right(self) -> Tensor:
        """Whether each image is classified rightly, (N,) bool."""
        return self.predicted == self.labels

    @property
    def log_probability(self) -> Tensor:
        """The natural logarithm of the probability of each label, (N,) float64."""
        return self.logits.double().log_softmax(dim=1).gather(1, self.labels[:, None])[:, 0]


def predict(
    task: Task, network: nn.Module, data: Prepared, device: torch.device | str = "cpu"
) -> Predictions:
    """Measure ``network`` on ``data`` by its ``task``, and keep its logits, in one pass."""
    listener = Listener(network)
    measures = task.measures(listener, data, device)
    logits = torch.cat(listener.heard)
    return Predictions(data.images.labels.cpu(), logits.cpu(), logits.argmax(dim=1).cpu(), measures)


class Listener(nn.Module):
    """A network that remembers what it has answered."""

    def __init__(self, network: nn.Module) -> None:
        """Wrap ``network``."""
        super().__init__()
        self.network = network
        self.heard: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits (B, K) of ``images`` (B, C, H, W)."""
        logits: Tensor = self.network(images)
        self.heard.append(logits.float())
        return logits
