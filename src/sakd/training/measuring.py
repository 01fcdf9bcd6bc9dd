"""Measure the networks of an objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from sakd.objectives import Objective

Evaluate = Callable[[nn.Module], Mapping[str, float]]
"""Measures a network, which it may leave in evaluation mode."""


def measures(objective: Objective, evaluate: Evaluate) -> dict[str, float]:
    """Measure the network of ``objective``, and its further ones by ``MEASURE_NAME``."""
    found = dict(evaluate(objective.network))
    for name, network in objective.further_networks().items():
        found |= {f"{measure}_{name}": value for measure, value in evaluate(network).items()}
    return found
