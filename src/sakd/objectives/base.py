"""The interface of objectives: a training problem, its players, and the loss of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Self

from torch import Tensor, nn
from torch.optim import Optimizer

from sakd.data import Batch, BatchStream
from sakd.objectives.branches import IN_LINE, Branches
from sakd.objectives.outputs import Outputs
from sakd.objectives.phases import Phase
from sakd.objectives.players import Player
from sakd.objectives.requests import Request


class StepResult(NamedTuple):
    """One forward pass: a loss per player, and detached scalars for the log."""

    losses: dict[str, Tensor]
    terms: dict[str, Tensor]


class Objective(nn.Module, ABC):
    """The networks and losses of one training problem; `sakd.training.fit` trains it.

    Attributes:
        frozen: Names of submodules, dotted where they are deeper, that never change: they stay in
            evaluation mode and out of checkpoints.
        resting: Names of submodules, likewise, that stay in evaluation mode and are part of
            checkpoints: copies that change, but are not trained themselves.
        uniform: Whether all steps of a phase do the same operations, so that one can be recorded
            and repeated.
        overlap: Computes the parts of a step that need not wait for one another. Who sets it
            reads the losses of a step along those branches alone.
    """

    frozen: tuple[str, ...] = ()
    resting: tuple[str, ...] = ()
    uniform: bool = True
    overlap: Branches = IN_LINE

    @property
    def chooses(self) -> bool:
        """Tell whether a policy decides by what it sees; its rates are then worth a line."""
        return False

    @property
    @abstractmethod
    def network(self) -> nn.Module:
        """The network that is evaluated, and kept after training."""

    def further_networks(self) -> Mapping[str, nn.Module]:
        """Name the networks that are evaluated beside `network`: peers, heads, ensembles.

        Each maps images (B, C, H, W) to logits (B, K). The names are part of the names of
        measures, ``val_top1_peer1``; most objectives have no such networks.
        """
        return {}

    @abstractmethod
    def players(self) -> dict[str, Player]:
        """Name groups of parameters, each trained by its own loss and optimiser.

        The groups are disjoint, unless parameters are to be updated more than once in a step: by
        each of their players, in the order of the losses. Players may have one loss together, the
        same tensor; one that has no loss in a step stays as it is.
        """

    def watch(self, optimisers: Mapping[str, Optimizer]) -> None:
        """Learn who updates the players, to read from; most objectives need not know.

        Args:
            optimisers: The optimiser of each player, as it is at any time.
        """

    @abstractmethod
    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of one batch, by player.

        Args:
            batch: The images and their labels.
            teacher: The answer to `request`, where the caller has it; None to compute it here.

        Returns:
            A scalar loss per player, and the terms for the log.
        """

    def updated(self) -> None:
        """React to an update of the players, as copies that follow them do; most need not."""

    def arrange(self, batch: Batch) -> Batch:
        """Make the batch to learn from of ``batch``, before its networks run; often it is itself.

        Images may be reordered, mixed and left out, and networks asked without gradient. What is
        made depends in its size on that of ``batch`` alone, has no ``view``, and its ``index`` is
        without repetition; draws come from `Batch.draws`. An objective that makes another batch
        has no `request`, as that would be answered for the images of ``batch``.
        """
        return batch

    def phases(self) -> tuple[Phase, ...]:
        """Name the parts of the training, in order; most objectives are trained in one piece."""
        return ()

    def enter(self, phase: int) -> None:
        """Begin the ``phase``, counted from 0.

        What `players`, `forward` and `train` do may differ from phase to phase. A training enters
        a phase before its first epoch, also where it resumes, and makes fresh optimisers for it.
        """

    def request(self) -> Request | None:
        """Name the outputs of a frozen teacher that every batch needs; None without a teacher.

        It is the same in all phases, or None in those that need no teacher.
        """
        return None

    def pretrainings(self) -> Mapping[str, Pretrainable]:
        """Name the problems that must be solved before this one and have not been; often none."""
        return {}

    def begin_epoch(self, epoch: int, epochs: int, stream: BatchStream) -> None:
        """Prepare for an epoch; called before each, after a resume too, in training mode.

        What a step reads of it must lie in registered buffers that are filled in place: so it is
        part of checkpoints, and a recorded step reads the present value. A training that goes on
        in the middle of an epoch restores `progress` after it.

        Args:
            epoch: Its number, counted from 0.
            epochs: The number of epochs of the training.
            stream: The batches of every epoch.
        """

    def train(self, mode: bool = True) -> Self:
        """Switch to training mode; frozen and resting parts stay in evaluation mode."""
        super().train(mode)
        for name in (*self.frozen, *self.resting):
            self.get_submodule(name).eval()
        return self

    def progress(self) -> dict[str, Tensor]:
        """Give the state that training changes: all but the frozen parts."""
        return {name: value for name, value in self.state_dict().items() if not self._stays(name)}

    def restore(self, progress: Mapping[str, Tensor]) -> None:
        """Continue from the result of `progress`.

        Raises:
            RuntimeError: A tensor that training changes is missing, or there is one too many.
        """
        kept = {name: value for name, value in self.state_dict().items() if self._stays(name)}
        self.load_state_dict({**kept, **progress})

    def _stays(self, name: str) -> bool:
        return any(name.startswith(f"{part}.") for part in self.frozen)


class Pretrainable(Objective):
    """A problem that is solved before another one, which takes its result as given.

    Attributes:
        epochs: Passes over the training images.
    """

    epochs: int

    @abstractmethod
    def thawed(self) -> AbstractContextManager[None]:
        """Let the parameters be trained meanwhile; mark them as trained unless an error occurs."""
