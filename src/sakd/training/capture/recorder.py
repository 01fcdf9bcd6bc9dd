"""The interface of recorders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Protocol

import torch

from sakd.objectives.branches import Branches
from sakd.training.capture.draws import Draws

Action = Callable[[], None]


class Recorder(Protocol):
    """Records the work that an action gives to a device, in order to repeat it at once."""

    def rehearse(self, action: Action) -> None:
        """Run ``action`` for its effect, where it would run while it is recorded."""

    def record(self, action: Action, generators: Iterable[torch.Generator]) -> Action:
        """Record ``action`` without an effect on the device.

        Args:
            action: Has run before, and finds the tensors of then in their places.
            generators: All generators from which it draws; each repetition finds them as seeded.

        Returns:
            Repeats the work on the present values of the same tensors.

        Raises:
            Exception: ``action`` fails, or cannot be recorded.
        """

    def teachers(self) -> Branches:
        """Give the branches for the part of the teachers, which may overlap with those of runs."""

    def place(self, number: int, of: int, draws: Draws) -> AbstractContextManager[Branches]:
        """Give the context for the part of an action that is the ``number``-th run's, ``of`` all.

        Parts of different runs may overlap in time, and so may those on the branches that it
        yields. Torch's global random state is that of ``draws`` within it.
        """
