"""Several distillers in one method: each as it is alone, in one weighted sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from sakd.data import Batch
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.networks import Chain, StagedNetwork
from sakd.objectives import DataFacts, SpotDistillation, distil
from sakd.objectives.parameters import Distillation

Objectives = Callable[..., SpotDistillation]
FACTS = DataFacts((3, 8, 8), torch.arange(4))


def test_the_loss_of_a_composition_is_the_weighted_sum_of_its_distillers(
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


@pytest.mark.parametrize("policy", ["always", "adaptive"])
def test_a_distiller_of_maps_can_look_at_the_logits_too(
    policy: str, small_network: Callable[..., Any], small_batch: Callable[..., Batch]
) -> None:
    """The logits are a spot of every objective, so there is no decision more."""
    networks = small_network(0), small_network(1)
    method = "category-category_logits"

    def result(distillation: Distillation) -> tuple[int, torch.Tensor]:
        built = distil(*networks, method, policy, FACTS, distillation=distillation).train()
        torch.manual_seed(0)
        return len(built.spots), built(small_batch(1)).terms["category"]

    count, plain = result(Distillation())
    filtered = result(Distillation(options={"category": {"filtered": True}}))
    assert count == filtered[0] == 2
    assert plain != filtered[1]


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
    weighted = Distillation(**settings)
    networks = small_network(0), small_network(1)
    objective = distil(*networks, "at-sp", "always", FACTS, distillation=weighted)
    assert objective.weights == weighted.weights_of(Method.of("at-sp")) == expected
    assert set(objective.distillers) == set(expected)


def chain(stages: int) -> StagedNetwork:
    """Make a network of so many stages of one shape."""
    parts: dict[str, nn.Module] = {"stem": nn.Conv2d(3, 2, 3, padding=1)}
    parts |= {f"stage{k + 1}": nn.Conv2d(2, 2, 3, padding=1) for k in range(stages)}
    parts["pool"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Chain({**parts, "head": nn.Linear(2, 5)}, family=f"chain{stages}")


def test_spots_that_share_a_stage_of_the_student_have_a_gate_rate_each(
    small_batch: Callable[..., Batch],
) -> None:
    objective = distil(chain(3), chain(4), "at-fitnet", "adaptive", FACTS).train()
    terms = objective(small_batch(0)).terms
    rates = [name.removeprefix("gate_rate/") for name in terms if name.startswith("gate_rate/")]
    assert rates == ["stage1", "stage2-stage2", "stage2-stage3", "stage3", "logits"]


@pytest.mark.parametrize(("student", "teacher"), [(3, 5), (5, 3)])
def test_spots_that_cross_train_no_policy(student: int, teacher: int) -> None:
    networks = chain(student), chain(teacher)
    with pytest.raises(UserError, match=r"stage\d of the student .* cross; .* one at a time"):
        distil(*networks, "at-fitnet", "adaptive", FACTS)
    assert distil(*networks, "at-fitnet", "random", FACTS).router.graft is None
