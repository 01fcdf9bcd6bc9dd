"""Policies that weigh samples: what their shares do, and the methods that take none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import pytest
import torch

from sakd.data import Batch
from sakd.distillers import DISTILLERS
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import DataFacts, Distillation, SpotDistillation, distil
from sakd.routing import Route, RoutingPolicy, Scene, Sight
from sakd.study.parsing import parse_parameters

FACTS = DataFacts((3, 8, 8), torch.arange(20) % 5)
RELATING = [name for name, kind in DISTILLERS.items() if not kind.weighs]

Networks = Callable[..., StagedNetwork]
Batches = Callable[..., Batch]


class Thrice(RoutingPolicy):
    """Count every sample three times."""

    sees = Sight.NOTHING
    weighs = True

    def forward(self, scene: Scene) -> Route:
        """Weigh."""
        return Route(self.everywhere(torch.full((len(scene),), 3.0, device=scene.device)))


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the policy where parameters can name it."""
    module = ModuleType("elsewhere")
    vars(module).update(Thrice=Thrice)
    monkeypatch.setitem(sys.modules, "elsewhere", module)
    return "elsewhere:Thrice"


@pytest.mark.parametrize("method", ["kd", "at", "fsp", "reviewkd"])
def test_shares_weigh_what_is_distilled_and_not_the_labels(
    method: str, small_objective: Callable[..., SpotDistillation], small_batch: Batches
) -> None:
    plain, weighed = (small_objective(method, policy).train() for policy in ("always", Thrice))
    ours, expected = weighed(small_batch(1)).terms, plain(small_batch(1)).terms
    for name in {method, "kd"}:
        torch.testing.assert_close(ours[name], 3 * expected[name])
    assert torch.equal(ours["cross_entropy"], expected["cross_entropy"])


@pytest.mark.parametrize("method", RELATING)
def test_a_distiller_that_relates_samples_takes_no_weights(
    method: str, small_network: Networks
) -> None:
    with pytest.raises(UserError, match=rf"Thrice.*weighs.*{method} takes.*always"):
        distil(small_network(0), small_network(1), method, Thrice, FACTS)


def test_one_that_has_no_weight_in_the_loss_does_not_matter(small_network: Networks) -> None:
    without = Distillation(weights={"sp": 0.0})
    assert distil(small_network(0), small_network(1), "sp", Thrice, FACTS, distillation=without)


def test_weights_that_are_not_announced_are_refused_in_the_first_step(
    small_network: Networks, small_batch: Batches
) -> None:
    class Silent(Thrice):
        weighs = False

    objective = distil(small_network(0), small_network(1), "sp", Silent, FACTS)
    with pytest.raises(UserError, match=r"Silent gives .*float32: set weighs = True"):
        objective(small_batch(0))


def test_the_refusal_comes_with_the_parameters(named: str) -> None:
    grid = {"distillers": ["kd", "at-sp"], "policies": ["always", named]}
    with pytest.raises(UserError, match=r"Thrice.*the loss of sp"):
        parse_parameters({"grid": grid})
    assert parse_parameters({"grid": {**grid, "distillers": ["kd", "at"]}})
