"""The interface of trackers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Tracked:
    """A training, as a tracker gets to know it.

    Attributes:
        id: The id of the cell or the teacher.
        key: The content key of the training.
        facts: All that determines its result: dataset, networks, method, seed, settings.
        folder: The folder of its files, which a training that starts afresh empties.
        done: The epochs that were finished in earlier sittings.
    """

    id: str
    key: str
    facts: Mapping[str, Any]
    folder: Path
    done: int


class Tracker:
    """Follows one training while it runs; there is one for each sitting of each training.

    Its methods do nothing unless they are overridden.

    Attributes:
        tracked: The training.
    """

    def __init__(self, tracked: Tracked) -> None:
        """Begin to track a training, before its first epoch of this sitting."""
        self.tracked = tracked

    @classmethod
    def check(cls) -> None:
        """Check, before any work starts, that the tracker can be used.

        Raises:
            UserError: It cannot, for example for lack of a package.
        """

    def epoch(self, number: int, record: Mapping[str, float]) -> None:
        """Take the record of an epoch.

        Args:
            number: Of the epoch, from 1.
            record: The means of the loss terms, the rates of the policy and the accuracy on val,
                by the names that they have in ``history.csv``.
        """

    def close(self) -> None:
        """End, after the last epoch, a failure or an interruption."""
