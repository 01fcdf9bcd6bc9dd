"""Distillers together: each as it is alone, in one weighed sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.objectives import SpotDistillation, distil
from sakd.objectives.build import DataFacts, Distillation

Objectives = Callable[..., SpotDistillation]
FACTS = DataFacts((3, 8, 8), torch.arange(4))


def test_the_loss_of_a_composition_is_the_weighed_sum_of_its_distillers(
    small_objective: Objectives, small_batch: Callable[..., Batch]
) -> None:
    terms = {
        name: small_objective(name, "always").train()(small_batch(1)).terms
        for name in ("at", "sp", "rkd")
    }
    result = small_objective("at-sp-rkd", "always").train()(small_batch(1))
    for name, alone in terms.items():
        torch.testing.assert_close(result.terms[name], alone[name])
    parts = {name: result.terms[name] for name in ("cross_entropy", "kd", "at", "sp", "rkd")}
    weights = {"cross_entropy": 1, "kd": 1, "at": 1000, "sp": 3000, "rkd": 1}
    total = sum(weights[name] * value for name, value in parts.items())
    torch.testing.assert_close(result.losses["student"].detach(), total)


def test_the_decisions_of_a_composition_are_the_spots_of_all(small_objective: Objectives) -> None:
    objective = small_objective("fitnet-rkd", "adaptive")
    assert list(objective.spots) == [(2, 2), (4, 4), (5, 5)]
    assert objective.router.gamma == 2  # the larger of 1 and 2


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"kd": 1, "at": 1000, "sp": 3000}),
        ({"weights": {"sp": 7.0}}, {"kd": 1, "at": 1000, "sp": 7}),
        ({"kd_weight": 0.5}, {"kd": 0.5, "at": 1000, "sp": 3000}),
        ({"kd_weight": 0.0}, {"at": 1000, "sp": 3000}),
        ({"kd_weight": 0.0, "weights": {"at": 0.0}}, {"sp": 3000}),
    ],
)
def test_each_member_has_its_own_weight(
    small_network: Callable[..., Any], settings: dict[str, Any], expected: dict[str, float]
) -> None:
    weighed = Distillation(**settings)
    networks = small_network(0), small_network(1)
    objective = distil(*networks, "at-sp", "always", FACTS, distillation=weighed)
    assert objective.weights == weighed.weights_with("at-sp") == expected
    assert set(objective.distillers) == set(expected)
