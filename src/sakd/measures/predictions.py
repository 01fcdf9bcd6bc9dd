"""The logits of a network for every image of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from sakd.data import DataCard, Prepared
from sakd.measures.corruptions import corrupted
from sakd.tasks import Task


@dataclass(frozen=True, eq=False)
class Predictions:
    """A network's answers for N images of K classes, in the order of their split, on the CPU.

    Attributes:
        labels: The right classes, (N,) int64.
        logits: (N, K).
        predicted: The most likely classes, (N,) int64.
        measures: What the task measures on the same pass.
        corrupted: The most likely classes under each corruption, (N,) int64, by its name.
    """

    labels: Tensor
    logits: Tensor
    predicted: Tensor
    measures: Mapping[str, float] = field(default_factory=dict)
    corrupted: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def right(self) -> Tensor:
        """Whether each image is classified rightly, (N,) bool."""
        return self.predicted == self.labels

    @property
    def log_probability(self) -> Tensor:
        """The natural logarithm of the probability of each label, (N,) float64."""
        return self.logits.double().log_softmax(dim=1).gather(1, self.labels[:, None])[:, 0]


def predict(
    task: Task,
    network: nn.Module,
    data: Prepared,
    device: torch.device | str = "cpu",
    *,
    corrupt: bool = False,
) -> Predictions:
    """Measure ``network`` on ``data`` by its ``task`` and keep its answers, reading images once.

    Args:
        task: The task of the network.
        network: The network, on ``device``.
        data: The images.
        device: The device to measure on.
        corrupt: Whether to ask for all images under every corruption too.
    """
    listener = _Listener(network, data.card if corrupt else None)
    measures = task.measures(listener, data, device)
    predicted = {name: torch.cat(parts).cpu() for name, parts in listener.predicted.items()}
    clean = predicted.pop("")
    logits = torch.cat(listener.logits).cpu()
    return Predictions(data.images.labels.cpu(), logits, clean, measures, predicted)


def robustness(answers: Predictions) -> dict[str, float]:
    """Measure the accuracy under corruptions.

    Returns:
        ``corrupted_<name>``, the share of right answers under each; ``corrupted``, their mean. None
        of them where nothing was corrupted.
    """
    if not answers.corrupted:
        return {}
    shares = {
        name: float((predicted == answers.labels).double().mean())
        for name, predicted in answers.corrupted.items()
    }
    mean = sum(shares.values()) / len(shares)
    return {"corrupted": mean} | {f"corrupted_{name}": share for name, share in shares.items()}


class _Listener(nn.Module):
    """A network that remembers its answers."""

    def __init__(self, network: nn.Module, card: DataCard | None) -> None:
        """Wrap ``network``; with a ``card``, images normalised by it are corrupted as well."""
        super().__init__()
        self.network = network
        self.logits: list[Tensor] = []
        self.predicted: dict[str, list[Tensor]] = defaultdict(list)
        self._card = card

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits (B, K) of ``images`` (B, C, H, W)."""
        logits: Tensor = self.network(images)
        self.logits.append(logits.float())
        self.predicted[""].append(logits.argmax(dim=1))
        if self._card is not None:
            for name, changed in corrupted(images, self._card.mean, self._card.std):
                self.predicted[name].append(self.network(changed).argmax(dim=1))
        return logits
