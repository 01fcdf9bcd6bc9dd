"""What an objective is: one training problem, and who is trained by which loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sakd.data import Batch

if TYPE_CHECKING:
    from sakd.objectives.pretraining import PretrainingObjective


class StepResult(NamedTuple):
    """One forward pass: a loss per player, and detached scalars for the log."""

    losses: dict[str, Tensor]
    terms: dict[str, Tensor]


class Objective(nn.Module, ABC):
    """Networks and losses of one training problem; `sakd.training.fit` trains it.

    Attributes:
        frozen: names of submodules that stay in evaluation mode and out of checkpoints.
    """

    frozen: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def network(self) -> nn.Module:
        """The network that this problem is about: evaluated, and kept afterwards."""

    @abstractmethod
    def players(self) -> dict[str, list[nn.Parameter]]:
        """Disjoint groups of parameters, each trained by its own loss and optimiser."""

    @abstractmethod
    def forward(self, batch: Batch) -> StepResult:
        """The losses of one batch, keyed like `players`."""

    def pretrainings(self) -> dict[str, PretrainingObjective]:
        """By name, the problems still to be solved before this one; most have none."""
        return {}

    def train(self, mode: bool = True) -> Self:
        """Switch to training mode; frozen parts stay in evaluation mode."""
        super().train(mode)
        for name in self.frozen:
            self.get_submodule(name).eval()
        return self

    def progress(self) -> dict[str, Tensor]:
        """The state that training changes: everything but the frozen parts."""
        return {name: value for name, value in self.state_dict().items() if not self._stays(name)}

    def restore(self, progress: Mapping[str, Tensor]) -> None:
        """Continue from what `progress` returned.

        Raises:
            RuntimeError: something that training changes is missing, or there is more.
        """
        kept = {name: value for name, value in self.state_dict().items() if self._stays(name)}
        self.load_state_dict({**kept, **progress})

    def _stays(self, name: str) -> bool:
        return name.partition(".")[0] in self.frozen


def label_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of ``logits`` (B, K) with the labels, as a mean over the batch.

    Where images were mixed, the labels are in the same shares.
    """
    loss = cross_entropy(logits, batch.labels)
    if batch.mixture is None:
        return loss
    partner, share = batch.mixture
    return share * loss + (1 - share) * cross_entropy(logits, partner)
