"""The checkpoints of one training: the last, and the one before it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from sakd.foundation.errors import DamagedError
from sakd.foundation.files import at_once
from sakd.foundation.sealing import damaged
from sakd.study.inside import Inside
from sakd.weights.archives import load_archive

REMEDY = "the checkpoint before it is taken, if there is one"

logger = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints in the folder of a training."""

    _last, _before = Inside("checkpoint.pt"), Inside("previous.pt")

    def __init__(self, folder: Path) -> None:
        """Use ``folder``."""
        self.folder = folder

    def read(self, key: str, *, discard: bool = False) -> dict[str, Any] | None:
        """Read the last intact state of the training of ``key``; None without one.

        Args:
            key: The content key of the training.
            discard: Whether to delete a damaged checkpoint, for the training is about to go on.
        """
        for path in (self._last, self._before):
            try:
                state = _load(path)
            except FileNotFoundError:  # never written, or another run has just ended
                continue
            except DamagedError as error:
                logger.warning("%s", error)
                if discard:
                    path.unlink()
                continue
            if state["key"] == key:
                return state
        return None

    def drop(self) -> bool:
        """Delete the last checkpoint; tell whether there was one."""
        for path in (self._last, self._before):
            if path.exists():
                path.unlink()
                return True
        return False

    def write(self, state: Mapping[str, Any]) -> None:
        """Write ``state``, which has the ``key`` of the training; keep the one before."""
        with at_once(self._last) as partial:
            torch.save(dict(state), partial)
            if self._last.exists():
                self._last.replace(self._before)

    def clear(self) -> None:
        """Delete all checkpoints."""
        for path in (self._last, self._before):
            path.unlink(missing_ok=True)


def _load(path: Path) -> dict[str, Any]:
    none = damaged(path, "it holds no state of a training", REMEDY)
    try:
        state = load_archive(path, REMEDY)
    except UnpicklingError as error:
        raise none from error
    if not isinstance(state, dict) or not isinstance(state.get("key"), str):
        raise none
    return state
