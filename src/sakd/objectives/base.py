"""What an objective is: one training problem, and who is trained by which loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Self

from torch import Tensor, nn

from sakd.data import Batch
from sakd.objectives.outputs import Outputs, Request
from sakd.objectives.players import Player


class StepResult(NamedTuple):
    """One forward pass: a loss per player, and detached scalars for the log."""

    losses: dict[str, Tensor]
    terms: dict[str, Tensor]


class Objective(nn.Module, ABC):
    """Networks and losses of one training problem; `sakd.training.fit` trains it.

    Attributes:
        frozen: Names of submodules that stay in evaluation mode and out of checkpoints.
    """

    frozen: tuple[str, ...] = ()

    @property
    @abstractmethod
    def network(self) -> nn.Module:
        """The network that this problem is about: evaluated, and kept afterwards."""

    @abstractmethod
    def players(self) -> dict[str, Player]:
        """Disjoint groups of parameters, each trained by its own loss and optimiser."""

    @abstractmethod
    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of one batch, by player.

        Args:
            batch: The images and their labels.
            teacher: The answer to `request`, if somebody has it already; else it is computed.
        """

    def request(self) -> Request | None:
        """The outputs of a frozen teacher that this problem needs of every batch, if any."""
        return None

    def pretrainings(self) -> Mapping[str, Pretrainable]:
        """The problems still to be solved before this one, by name; most have none."""
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
            RuntimeError: Something that training changes is missing, or there is more.
        """
        kept = {name: value for name, value in self.state_dict().items() if self._stays(name)}
        self.load_state_dict({**kept, **progress})

    def _stays(self, name: str) -> bool:
        return name.partition(".")[0] in self.frozen


class Pretrainable(Objective):
    """A problem that is solved before another one, which then takes its result as given.

    Attributes:
        epochs: Passes over the training images.
    """

    epochs: int

    @abstractmethod
    def thawed(self) -> AbstractContextManager[None]:
        """Let the parameters be trained; they are frozen in the end, and marked if all is well."""
