"""The states from which trainings of a study go on."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any

from sakd.foundation.errors import UserError, raised_at, require
from sakd.foundation.options import require_type
from sakd.study.beforehand import NAME
from sakd.study.store import Entry
from sakd.study.trainings import Training
from sakd.training.resuming import StateError, foreign_states


@foreign_states()
def state_of(training: Training, entry: Entry) -> Mapping[str, Any] | None:
    """Read the last intact checkpoint of a training; None without one.

    Raises:
        StateError: The training cannot have left it.
    """
    state = entry.checkpoints.read(training.key, discard=True)
    if state is None:
        return None
    require_type("seconds", state["seconds"], float)
    require(0 <= state["seconds"] < inf, f"it took {state['seconds']} seconds")
    if NAME in state:
        return state
    ended, metric = epochs_of(state), f"val_{training.task.metric}"
    require(ended < training.recipe.epochs, f"it has ended {ended} epochs")
    measured = all(isfinite(record[metric]) for record in state["history"])
    require(measured, f"{metric} is not a number")
    return state


def fault_of(error: StateError) -> str:
    """Say what is wrong with a state.

    What is not among the errors that are declared may be a fault of the code, and has its place.
    """
    cause = error.__cause__
    if cause is None or isinstance(cause, UserError):
        return str(error)
    return f"{error}, {type(cause).__name__} in {raised_at(cause)}"


def epochs_of(state: Mapping[str, Any]) -> int:
    """Count the epochs that a state has ended; 0 where it does not tell."""
    history = state.get("history")
    return len(history) if isinstance(history, list) else 0
