"""The laws of routing policies."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import one_hot, softmax

import sakd.routing
from sakd.routing import POLICIES, Route, RoutingPolicy
from sakd.routing.adaptive import Adaptive, Sample

WIDTHS, DECISIONS = (8, 6), 3
seeds = st.integers(0, 1000)
TRAINED = [name for name, kind in POLICIES.items() if kind.trained]


def make(name: str, seed: int = 0, **options: float) -> RoutingPolicy:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return POLICIES[name](*WIDTHS, DECISIONS, **options)


def embeddings(seed: int, size: int = 7) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(size, width, generator=source) for width in WIDTHS)


def route(policy: RoutingPolicy, seed: int, size: int = 7) -> Route:
    return policy(*embeddings(seed, size), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", POLICIES)
@given(seed=seeds, size=st.integers(1, 7))
def test_a_route_decides_for_every_sample_and_spot(name: str, seed: int, size: int) -> None:
    policy = make(name, seed)
    chosen, gate = route(policy, seed, size)
    assert (chosen.shape, chosen.dtype) == ((size, DECISIONS), torch.bool)
    assert (gate is not None) == policy.trained == bool(list(policy.parameters()))
    if gate is not None:
        torch.testing.assert_close(gate.detach(), gate.detach().round(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", POLICIES)
@given(seed=seeds)
def test_a_route_draws_from_the_generator_alone(name: str, seed: int) -> None:
    policy, before = make(name, seed), torch.random.get_rng_state()
    first, second = route(policy, seed), route(policy, seed)
    assert torch.equal(first.chosen, second.chosen)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", TRAINED)
def test_every_gate_has_a_gradient_to_the_policy(name: str) -> None:
    policy = make(name)
    for k in range(DECISIONS):
        gate = route(policy, 1).gate
        gradients = torch.autograd.grad(gate[:, k].sum(), list(policy.parameters()))
        assert all(gradient.isfinite().all() and gradient.any() for gradient in gradients)


def test_always_chooses_everything() -> None:
    assert route(make("always"), 0).chosen.all()


@given(seeds)
def test_anti_chooses_what_adaptive_leaves_under_one_seed(seed: int) -> None:
    adaptive, anti = make("adaptive", seed), make("anti", seed)
    ours, opposite = route(adaptive, seed), route(anti, seed)
    assert torch.equal(opposite.chosen, ~ours.chosen)
    assert torch.equal(opposite.gate, ours.gate)


@given(seeds)
def test_random_matched_keeps_how_many_are_chosen_at_every_spot(seed: int) -> None:
    ours, matched = route(make("adaptive", seed), seed), route(make("random_matched", seed), seed)
    assert torch.equal(matched.chosen.sum(dim=0), ours.chosen.sum(dim=0))
    assert torch.equal(matched.gate, ours.gate)


def test_random_matched_chooses_every_sample_equally_often() -> None:
    policy, size, draws = make("random_matched"), 4, 2000
    embedding = embeddings(0, size)
    source = torch.Generator().manual_seed(0)
    chosen = torch.stack([policy(*embedding, source).chosen for _ in range(draws)]).double()
    rates = chosen.mean(dim=0)
    assert (rates - rates.mean(dim=0)).abs().max() < 4 * 0.5 / draws**0.5


def test_random_matched_deals_every_spot_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = make("random_matched")
    alike = one_hot(torch.tensor([0, 0, 0, 0, 1, 1, 1]), 2)[:, None].expand(-1, DECISIONS, -1)
    monkeypatch.setattr(policy, "sample", lambda logits, _source: Sample(alike, softmax(logits, 2)))
    dealt = [route(policy, seed).chosen for seed in range(5)]
    assert all(chosen.sum(dim=0).tolist() == [4] * DECISIONS for chosen in dealt)
    assert any(not torch.equal(chosen[:, 0], chosen[:, 1]) for chosen in dealt)


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 1.0])
def test_random_chooses_at_its_rate_independently(rate: float) -> None:
    chosen = route(make("random", rate=rate), 0, size=20000).chosen.double()
    four_sigma = 4 * (rate * (1 - rate) / 20000) ** 0.5
    assert (chosen.mean(dim=0) - rate).abs().max() <= four_sigma
    both = (chosen[:, 0] * chosen[:, 1]).mean()
    assert (both - rate**2).abs() <= 4 * (rate**2 * (1 - rate**2) / 20000) ** 0.5


@pytest.mark.parametrize("temperature", [1.0, 5.0])
def test_gumbel_samples_follow_the_softmax_of_the_logits_at_any_temperature(
    temperature: float,
) -> None:
    policy = Adaptive(*WIDTHS, DECISIONS, temperature=temperature)
    logits = torch.tensor([[1.0, 0.0], [-2.0, 0.5], [0.3, 0.3]])
    hard, _ = policy.sample(logits.expand(20000, -1, -1), torch.Generator().manual_seed(0))
    expected = softmax(logits, dim=1)[:, 0]
    four_sigma = 4 * (expected * (1 - expected) / 20000).sqrt()
    assert ((hard[..., 0].mean(dim=0) - expected).abs() < four_sigma).all()
    assert torch.equal(hard.sum(dim=2), torch.ones(20000, DECISIONS))


def test_the_gates_gradient_is_that_of_the_softened_decision() -> None:
    policy = Adaptive(*WIDTHS, DECISIONS)
    logits = torch.randn(4, DECISIONS, 2, requires_grad=True)
    soft = policy.sample(logits, torch.Generator().manual_seed(0)).soft[..., 0]
    (gradient,) = torch.autograd.grad(soft.sum(), logits)
    by_hand = (soft * (1 - soft) / 5).detach()
    torch.testing.assert_close(gradient, torch.stack([by_hand, -by_hand], dim=2))


def test_the_policy_reads_the_teacher_first() -> None:
    policy = make("adaptive")
    student, teacher = embeddings(0)
    with torch.no_grad():
        policy.linear.weight.zero_()
        policy.linear.weight[:, : WIDTHS[1]] = torch.tensor([100.0, -100.0] * DECISIONS)[:, None]
        policy.linear.bias.zero_()
    chosen = policy(student, teacher, torch.Generator().manual_seed(0)).chosen
    expected = (teacher.sum(dim=1) > 0)[:, None].expand(-1, DECISIONS)
    assert torch.equal(chosen, expected)


@pytest.mark.parametrize("name", TRAINED)
def test_favouring_adds_to_the_bias_of_every_slot_0_alone(name: str) -> None:
    policy = make(name)
    before = {key: value.clone() for key, value in policy.state_dict().items()}
    policy.favour_distilling(10.0)
    after = policy.state_dict()
    added = (after["linear.bias"] - before["linear.bias"]).view(DECISIONS, 2)
    torch.testing.assert_close(added, torch.tensor([[10.0, 0.0]] * DECISIONS))
    assert torch.equal(after["linear.weight"], before["linear.weight"])


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_can_be_asked_to_favour_distilling(name: str) -> None:
    policy = make(name)
    policy.favour_distilling(10.0)
    assert all(parameter.requires_grad for parameter in policy.parameters())


def test_every_policy_in_the_package_is_in_the_table() -> None:
    for found in pkgutil.walk_packages(sakd.routing.__path__, "sakd.routing."):
        module = importlib.import_module(found.name)
        for name, kind in inspect.getmembers(module, inspect.isclass):
            public = issubclass(kind, RoutingPolicy) and not inspect.isabstract(kind)
            if public and not name.startswith("_"):
                assert kind in POLICIES.values(), f"{found.name}.{name} is in no line of the table"
