"""Event files for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from sakd.foundation.extras import require_extra
from sakd.study.trackers.base import Tracked, Tracker


class TensorBoard(Tracker):
    """Writes event files into the folder ``tensorboard`` of each training."""

    @classmethod
    def check(cls) -> None:
        """Look for the package.

        Raises:
            UserError: It is not installed.
        """
        require_extra("tensorboard")

    def __init__(self, tracked: Tracked) -> None:
        """Open an event file; epochs that are trained again take the place of earlier ones."""
        super().__init__(tracked)
        # Imported by name: the module needs the package, which is optional.
        writer = import_module("torch.utils.tensorboard").SummaryWriter
        self._writer = writer(str(tracked.folder / "tensorboard"), purge_step=tracked.done + 1)

    def epoch(self, number: int, record: Mapping[str, float]) -> None:
        """Write a point of every curve."""
        for name, value in record.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, number)
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
