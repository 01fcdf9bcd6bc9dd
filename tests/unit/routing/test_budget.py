"""The policy that is held to a rate."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.objectives import Routing, SpotDistillation
from sakd.routing import RoutingPolicy, Scene

Make = Callable[..., RoutingPolicy]
Scenes = Callable[..., Scene]
Objectives = Callable[..., SpotDistillation]
seeds = st.integers(0, 1000)


@given(seed=seeds, rate=st.sampled_from([0.2, 0.5, 0.9]))
def test_the_cost_is_the_divergence_from_the_rate_at_every_spot(
    seed: int, rate: float, make: Make
) -> None:
    source = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(6, 3, 2, generator=source, dtype=torch.float64)
    expected = 0.0
    for spot in range(3):
        pairs = logits[:, spot].tolist()
        mean = sum(1 / (1 + math.exp(leave - distil)) for distil, leave in pairs) / 6
        expected += rate * math.log(rate / mean) + (1 - rate) * math.log((1 - rate) / (1 - mean))
    cost = make("budget", rate=rate, strength=2.0).cost(logits)
    assert float(cost) == pytest.approx(2 * expected)


@pytest.mark.parametrize("odds", [-1000.0, -3.0, 3.0, 1000.0])
def test_the_pull_is_how_far_the_rate_is_off_however_sure_the_policy(
    odds: float, make: Make
) -> None:
    logits = torch.zeros(6, 3, 2).index_fill(2, torch.tensor(0), odds).requires_grad_()
    (pull,) = torch.autograd.grad(make("budget", rate=0.3).cost(logits), logits)
    off = 1 / (1 + math.exp(-max(-50.0, odds))) - 0.3
    torch.testing.assert_close(pull.sum(dim=0), torch.tensor([[off, -off]] * 3))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_it_starts_at_its_rate_whatever_the_families(rate: float, make: Make) -> None:
    policy, adaptive = make("budget", rate=rate), make("adaptive")
    policy.favour_distilling(10.0)
    added = (policy.linear.bias - adaptive.linear.bias).detach().view(-1, 2)
    torch.testing.assert_close(added, torch.tensor([[math.log(rate / (1 - rate)), 0.0]] * 3))
    assert torch.equal(policy.linear.weight, adaptive.linear.weight)


@given(seed=seeds)
def test_at_a_half_it_draws_what_adaptive_draws(seed: int, make: Make, scene: Scenes) -> None:
    ours, adaptive = (make(name, seed)(scene(seed)) for name in ("budget", "adaptive"))
    assert torch.equal(ours.share, adaptive.share)
    assert torch.equal(ours.gate, adaptive.gate)


@pytest.mark.parametrize("train_teacher", [False, True])
def test_its_cost_takes_the_place_of_the_half_batch_penalty(
    train_teacher: bool, small_objective: Objectives, small_batch: Callable[..., Batch]
) -> None:
    batch, costs = small_batch(5), []
    budget, adaptive = (
        small_objective("at", policy, train_teacher=train_teacher).train()
        for policy in ("budget", "adaptive")
    )
    budget.router.policy.register_forward_hook(lambda *call: costs.append(call[-1].cost.detach()))
    ours, theirs = budget(batch).terms, adaptive(batch).terms
    missing = len(batch.labels) * (0.5 - theirs["gate_rate/logits"]).clamp(min=0)
    penalty = 0 if train_teacher else missing
    torch.testing.assert_close(ours["routing"] - costs[0], theirs["routing"] - penalty)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"rate": 0.0}, "rate must be above 0 and below 1, got 0"),
        ({"rate": 1.0}, "rate must be above 0 and below 1, got 1"),
        ({"strength": 0.0}, "strength must be above 0, got 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, float], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Routing(options={"budget": options}).check()
