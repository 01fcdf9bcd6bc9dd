"""The networks that were trained beside a student: peers, heads, ensembles, averages."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from sakd.objectives import Objective
from sakd.study.store import Entry
from sakd.study.trainings import Training
from sakd.training.average import EMA
from sakd.weights.saved import Weights, load_weights, save_weights


def keep_further(objective: Objective, entry: Entry) -> None:
    """Write all that a training has changed, where it has networks beside the student."""
    if networks := objective.further_networks():
        save_weights(Weights(objective.progress(), {"networks": list(networks)}), entry.further)


def further_networks(training: Training, entry: Entry) -> Mapping[str, nn.Module]:
    """Rebuild the networks that were trained beside the student, by name; often there are none.

    Raises:
        UserError: Their file is damaged.
    """
    found: dict[str, nn.Module] = {}
    if entry.further.exists():
        objective = training.build(None)
        for phase in range(len(objective.phases())):
            objective.enter(phase)
        objective.restore(load_weights(entry.further).state)
        found |= objective.further_networks()
    if entry.average.exists():
        found[EMA] = average = training.build(None).network
        average.load_state_dict(dict(load_weights(entry.average).state))
    return found
