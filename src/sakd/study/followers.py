"""Followers of a training that are part of its checkpoints: counts of decisions, an average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sakd.objectives import Objective
from sakd.study.trainings import Training
from sakd.training.average import Average
from sakd.training.resuming import foreign_states
from sakd.training.tally import Tally


@foreign_states()
def tally_of(
    objective: Objective, training: Training, state: Mapping[str, Any] | None
) -> Tally | None:
    """Count the decisions on the images; None without a policy that tells them apart.

    A training that began before such counts were kept goes on without them.

    Raises:
        StateError: The ``state`` is of another training.
    """
    tally = Tally(objective, len(training.images))
    if not tally.counts or (state is not None and "tally" not in state):
        return None
    if state is not None:
        tally.restore(state["tally"])
    return tally


@foreign_states()
def average_of(
    objective: Objective, training: Training, state: Mapping[str, Any] | None
) -> Average | None:
    """Keep a running average of the weights, where the recipe asks for one.

    Raises:
        StateError: The ``state`` is of another training.
    """
    if not training.recipe.ema:
        return None
    average = Average(objective, training.recipe.ema)
    if state is not None:
        average.restore(state["average"])
    return average
