"""The policy that weighs samples by a learnt variance."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sakd.data import Batch
from sakd.networks import StagedNetwork
from sakd.objectives import DataFacts, distil
from sakd.routing import RoutingPolicy, Scene

Make = Callable[..., RoutingPolicy]
Scenes = Callable[..., Scene]


@given(seed=st.integers(0, 1000))
def test_weights_and_cost_are_those_by_hand(seed: int, make: Make, scene: Scenes) -> None:
    policy, seen = make("prime", seed), scene(seed)
    route = policy(seen)
    linear, norm = copy.deepcopy(policy.log_variance)
    assert linear.bias is None, "the norm takes it away"
    with torch.no_grad():
        predicted = policy.regressor(seen.student.embedding)
        raw = linear(predicted)
        deviation = (raw.var(dim=0, unbiased=False) + norm.eps).sqrt()
        variance = 1e-6 + ((raw - raw.mean(dim=0)) / deviation).exp()
        weights = (1 / variance).mean(dim=1)
        error = (predicted - seen.teacher.embedding).square()
        cost = (error / variance + (variance - 1e-6).log()).mean()
    expected = weights / weights.mean()
    torch.testing.assert_close(route.share, expected[:, None].expand(-1, 3))
    torch.testing.assert_close(route.share.mean(dim=0), torch.ones(3))
    torch.testing.assert_close(route.cost.detach(), cost, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("spread", [1e-3, 1e3])
def test_a_variance_far_out_of_range_leaves_cost_and_gradients_finite(
    spread: float, make: Make, scene: Scenes
) -> None:
    policy = make("prime")
    torch.nn.init.constant_(policy.log_variance[1].weight, spread)
    route = policy(scene())
    gradients = torch.autograd.grad(route.cost, list(policy.parameters()))
    assert all(found.isfinite().all() for found in (route.share, route.cost, *gradients))


def test_its_cost_reaches_the_policy_and_no_embedding(make: Make, scene: Scenes) -> None:
    policy = make("prime")
    drawn = scene()
    vectors = [x.embedding.requires_grad_() for x in (drawn.student, drawn.teacher)]
    cost = policy(scene(embeddings=tuple(vectors))).cost
    wanted = [*policy.parameters(), *vectors]
    *own, student, teacher = torch.autograd.grad(cost, wanted, allow_unused=True)
    assert all(gradient is not None and gradient.any() for gradient in own)
    assert student is None
    assert teacher is None


def test_predictable_samples_come_to_weigh_more(make: Make, scene: Scenes) -> None:
    policy, source = make("prime"), torch.Generator().manual_seed(0)
    optimiser = torch.optim.SGD(policy.parameters(), lr=0.05, momentum=0.9)
    for _ in range(300):
        student = torch.randn(64, 8, generator=source)
        noisy = (student[:, :1] > 0).float()  # half of the samples, known by their first number
        teacher = student[:, :6] + 2 * noisy * torch.randn(64, 6, generator=source)
        route = policy(scene(size=64, embeddings=(student, teacher)))
        optimiser.zero_grad()
        route.cost.backward()
        optimiser.step()
    weight, noisy = route.share[:, 0], noisy[:, 0].bool()
    assert weight[~noisy].mean() > 2 * weight[noisy].mean()


@pytest.mark.parametrize("method", ["kd", "at"])
def test_its_router_is_trained_without_a_graft(
    method: str,
    small_network: Callable[..., StagedNetwork],
    small_batch: Callable[..., Batch],
) -> None:
    facts = DataFacts((3, 8, 8), torch.arange(20) % 5)
    objective = distil(small_network(0), small_network(1), method, "prime", facts).train()
    result = objective(small_batch(0))
    assert objective.router.graft is None
    held = objective.players()["router"].parameters
    assert [id(p) for p in held] == [id(p) for p in objective.router.policy.parameters()]
    assert all(g.isfinite().all() for g in torch.autograd.grad(result.losses["router"], held))
    assert 0 < result.terms["effective_share/logits"] <= 1
    torch.testing.assert_close(result.terms["gate_rate/logits"], torch.tensor(1.0))
