"""The laws of routing policies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import one_hot, softmax
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import sakd.routing
from sakd.routing import POLICIES, RoutingPolicy
from sakd.routing.adaptive import Adaptive, Sample
from sakd.routing.scene import Scene, Sight, View
from unit.tables import concrete

WIDTHS, DECISIONS = (8, 6), 3
seeds = st.integers(0, 1000)
GRAFTED = [name for name, kind in POLICIES.items() if kind.trained and kind.grafted]

Make = Callable[..., RoutingPolicy]
Scenes = Callable[..., Scene]


@pytest.mark.parametrize("name", POLICIES)
@given(seed=seeds, size=st.integers(1, 7))
def test_a_route_decides_for_every_sample_and_spot(
    name: str, seed: int, size: int, make: Make, scene: Scenes
) -> None:
    policy = make(name, seed).eval()
    share, gate, labels, cost = policy(scene(seed, size))
    assert share.shape == (size, DECISIONS)
    assert (share.dtype == torch.bool) != policy.weighs
    assert (share >= 0).all()
    assert not share.requires_grad
    assert labels is None or (labels.shape == (size,) and (labels >= 0).all())
    assert policy.trained == bool(list(policy.parameters()))
    assert (gate is not None) == (policy.trained and policy.grafted)
    assert gate is not None or (cost is not None) == policy.trained
    if gate is not None:
        torch.testing.assert_close(gate.detach(), gate.detach().round(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", POLICIES)
@given(seed=seeds)
def test_a_route_draws_from_the_generator_alone(
    name: str, seed: int, make: Make, scene: Scenes
) -> None:
    policy, before = make(name, seed), torch.random.get_rng_state()
    first, second = policy(scene(seed)), policy(scene(seed))
    assert torch.equal(first.share, second.share)
    assert torch.equal(torch.random.get_rng_state(), before)


class Devices(TorchDispatchMode):
    """Notes the devices of all that is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.seen |= {part.device.type for part in tree_leaves(result) if isinstance(part, Tensor)}
        return result


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_computes_on_the_device_of_its_batch(name: str, make: Make, scene: Scenes) -> None:
    """Tensors without values stand for those of a GPU."""
    with torch.device("meta"):
        there = scene()
    batch = there.batch._replace(source=lambda _purpose: torch.Generator())
    policy = make(name).to("meta")
    with Devices() as devices:
        policy(replace(there, batch=batch))
    assert devices.seen == {"meta"}


@pytest.mark.parametrize("name", POLICIES)
@given(seed=seeds)
def test_what_a_policy_does_not_say_it_sees_has_no_say(
    name: str, seed: int, make: Make, scene: Scenes
) -> None:
    policy, usual, other = make(name, seed), scene(seed), scene(seed + 1)
    hidden: dict[str, tuple[Tensor, Tensor]] = {}
    if Sight.EMBEDDINGS not in policy.sees:
        hidden["embeddings"] = other.student.embedding, other.teacher.embedding
    if Sight.LOGITS not in policy.sees:
        hidden["logits"] = other.student.logits, other.teacher.logits
    changed = scene(seed, labels=usual.batch.labels, **hidden)
    assert torch.equal(policy(usual).share, policy(changed).share)


@pytest.mark.parametrize("name", GRAFTED)
def test_every_gate_has_a_gradient_to_the_policy(name: str, make: Make, scene: Scenes) -> None:
    policy = make(name)
    for k in range(DECISIONS):
        gate = policy(scene(1)).gate
        gradients = torch.autograd.grad(gate[:, k].sum(), list(policy.parameters()))
        assert all(gradient.isfinite().all() and gradient.any() for gradient in gradients)


def test_always_chooses_everything(make: Make, scene: Scenes) -> None:
    assert make("always")(scene()).share.all()


@pytest.mark.parametrize("name", [name for name, kind in POLICIES.items() if kind.among])
def test_the_most_teachers_of_a_sample_are_those_that_a_policy_says(
    name: str, make: Make, scene: Scenes
) -> None:
    policy = make(name, teachers=3)
    chosen = policy(scene(size=50)).share.view(50, DECISIONS, 3)
    assert chosen.sum(dim=2).max() == policy.at_once


@given(seed=seeds)
def test_anti_chooses_what_adaptive_leaves_under_one_seed(
    seed: int, make: Make, scene: Scenes
) -> None:
    adaptive, anti = make("adaptive", seed), make("anti", seed)
    ours, opposite = adaptive(scene(seed)), anti(scene(seed))
    assert torch.equal(opposite.share, ~ours.share)
    assert torch.equal(opposite.gate, ours.gate)


def test_a_die_takes_one_of_several_teachers_or_none_at_its_rate(scene: Scenes) -> None:
    policy = POLICIES["random"](WIDTHS[0], 3 * WIDTHS[1], DECISIONS, teachers=3, rate=0.6)
    chosen = policy(scene(0, size=20000)).share.view(20000, DECISIONS, 3).double()
    assert chosen.sum(dim=2).max() == 1
    assert (chosen.mean(dim=0) - 0.2).abs().max() < 4 * (0.2 * 0.8 / 20000) ** 0.5


def test_a_view_shows_features_without_the_logits_and_without_a_gradient() -> None:
    outputs = [torch.full((2, size), float(size), requires_grad=True) for size in (3, 4, 5)]
    view = View(outputs, lambda features: features[-1], lambda logits: logits[:, 0])
    assert [feature.shape[1] for feature in view.features] == [3, 4]
    assert view.embedding.shape[1] == 4
    assert view.losses.tolist() == [5.0, 5.0]
    seen = [*view.features, view.embedding, view.logits, view.losses]
    assert not any(each.requires_grad for each in seen)


@given(seed=seeds)
def test_random_matched_keeps_how_many_are_chosen_at_every_spot(
    seed: int, make: Make, scene: Scenes
) -> None:
    ours, matched = (make(n, seed)(scene(seed)) for n in ("adaptive", "random_matched"))
    assert torch.equal(matched.share.sum(dim=0), ours.share.sum(dim=0))
    assert torch.equal(matched.gate, ours.gate)


def test_random_matched_deals_what_a_sample_has_of_several_teachers_together(
    make: Make, scene: Scenes
) -> None:
    size, seen = 500, [scene(0, size=500) for _ in "ab"]
    names = "adaptive", "random_matched"
    ours, matched = (
        make(name, teachers=2)(one).share.view(size, DECISIONS, 2)
        for name, one in zip(names, seen, strict=True)
    )
    assert torch.equal(matched.sum(dim=0), ours.sum(dim=0))
    assert ours.sum(dim=0).all()
    assert matched.sum(dim=2).max() == 1


def test_random_matched_chooses_every_sample_equally_often(make: Make, scene: Scenes) -> None:
    policy, draws = make("random_matched"), 2000
    one = scene(0, size=4)  # its generator goes on from draw to draw
    chosen = torch.stack([policy(one).share for _ in range(draws)]).double()
    rates = chosen.mean(dim=0)
    assert (rates - rates.mean(dim=0)).abs().max() < 4 * 0.5 / draws**0.5


def test_random_matched_deals_every_spot_on_its_own(
    monkeypatch: pytest.MonkeyPatch, make: Make, scene: Scenes
) -> None:
    policy = make("random_matched")
    alike = one_hot(torch.tensor([0, 0, 0, 0, 1, 1, 1]), 2)[:, None].expand(-1, DECISIONS, -1)
    monkeypatch.setattr(policy, "sample", lambda logits, _source: Sample(alike, softmax(logits, 2)))
    dealt = [policy(scene(seed)).share for seed in range(5)]
    assert all(chosen.sum(dim=0).tolist() == [4] * DECISIONS for chosen in dealt)
    assert any(not torch.equal(chosen[:, 0], chosen[:, 1]) for chosen in dealt)


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 1.0])
def test_random_chooses_at_its_rate_independently(rate: float, make: Make, scene: Scenes) -> None:
    chosen = make("random", rate=rate)(scene(0, size=20000)).share.double()
    four_sigma = 4 * (rate * (1 - rate) / 20000) ** 0.5
    assert (chosen.mean(dim=0) - rate).abs().max() <= four_sigma
    both = (chosen[:, 0] * chosen[:, 1]).mean()
    assert (both - rate**2).abs() <= 4 * (rate**2 * (1 - rate**2) / 20000) ** 0.5


@pytest.mark.parametrize(("rate", "chosen"), [(0.0, False), (1e-9, True), (1.0, True)])
def test_a_coin_of_zero_distils_at_any_rate_above_zero(
    rate: float, chosen: bool, make: Make, scene: Scenes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "rand", lambda size, **_: torch.zeros(size))
    assert (make("random", rate=rate)(scene()).share == chosen).all()


@pytest.mark.parametrize("temperature", [1.0, 5.0])
@pytest.mark.parametrize(
    "odds",
    [
        [[1.0, 0.0], [-2.0, 0.5], [0.3, 0.3]],
        [[1.0, 0.0, -1.0], [0.2, 2.0, 0.0], [0.0, 0.0, 0.0]],  # of two teachers
    ],
)
def test_gumbel_samples_follow_the_softmax_of_the_logits_at_any_temperature(
    temperature: float, odds: list[list[float]]
) -> None:
    policy, logits = Adaptive(*WIDTHS, DECISIONS, temperature=temperature), torch.tensor(odds)
    hard, _ = policy.sample(logits.expand(20000, -1, -1), torch.Generator().manual_seed(0))
    expected = softmax(logits, dim=1)
    four_sigma = 4 * (expected * (1 - expected) / 20000).sqrt()
    assert ((hard.mean(dim=0) - expected).abs() < four_sigma).all()
    assert torch.equal(hard.sum(dim=2), torch.ones(20000, DECISIONS))


def test_the_gates_gradient_is_that_of_the_softened_decision() -> None:
    policy = Adaptive(*WIDTHS, DECISIONS)
    logits = torch.randn(4, DECISIONS, 2, requires_grad=True)
    soft = policy.sample(logits, torch.Generator().manual_seed(0)).soft[..., 0]
    (gradient,) = torch.autograd.grad(soft.sum(), logits)
    by_hand = (soft * (1 - soft) / 5).detach()
    torch.testing.assert_close(gradient, torch.stack([by_hand, -by_hand], dim=2))


def test_of_several_teachers_every_spot_takes_one_or_none() -> None:
    policy = Adaptive(WIDTHS[0], 3 * WIDTHS[1], 2, teachers=3)
    logits = torch.randn(50, 2, 4, requires_grad=True)
    share, gate, *_ = policy.decide(logits, torch.Generator().manual_seed(1))
    hard, soft = policy.sample(logits, torch.Generator().manual_seed(1))
    assert share.shape == gate.shape == (50, 6)
    assert torch.equal(share.view(50, 2, 3), hard[..., :3] == 1)
    assert torch.equal(gate.view(50, 2, 3), hard[..., :3])
    assert sorted(set(share.view(50, 2, 3).sum(dim=2).flatten().tolist())) == [0, 1]
    ours, expected = (
        torch.autograd.grad(x.sum(), logits, retain_graph=True)[0] for x in (gate, soft[..., :3])
    )
    torch.testing.assert_close(ours, expected)
    before = policy.linear.bias.detach().clone()
    policy.favour_distilling(2.0, teacher=1)
    assert (policy.linear.bias.detach() - before).round().tolist() == [0, 2, 0, 0] * 2


def test_the_noise_is_finite_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as if the ends were 1e-20 away."""
    policy, ends = Adaptive(*WIDTHS, DECISIONS), torch.tensor([0.0, 1.0])
    monkeypatch.setattr(torch, "rand", lambda *_, **__: ends)
    most = 20 * math.log(10)
    expected = torch.tensor([-math.log(most), most])
    torch.testing.assert_close(policy.gumbel(ends, torch.Generator()), expected)


def test_the_policy_reads_the_teacher_first(make: Make, scene: Scenes) -> None:
    policy, one = make("adaptive"), scene()
    with torch.no_grad():
        policy.linear.weight.zero_()
        policy.linear.weight[:, : WIDTHS[1]] = torch.tensor([100.0, -100.0] * DECISIONS)[:, None]
        policy.linear.bias.zero_()
    expected = (one.teacher.embedding.sum(dim=1) > 0)[:, None].expand(-1, DECISIONS)
    assert torch.equal(policy(one).share, expected)


@pytest.mark.parametrize("name", [name for name in GRAFTED if name != "budget"])
def test_favouring_adds_to_the_bias_of_every_slot_0_alone(name: str, make: Make) -> None:
    policy = make(name)
    before = {key: value.clone() for key, value in policy.state_dict().items()}
    policy.favour_distilling(10.0)
    after = policy.state_dict()
    added = (after["linear.bias"] - before["linear.bias"]).view(DECISIONS, 2)
    torch.testing.assert_close(added, torch.tensor([[10.0, 0.0]] * DECISIONS))
    assert torch.equal(after["linear.weight"], before["linear.weight"])


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_can_be_asked_to_favour_distilling(name: str, make: Make) -> None:
    policy = make(name)
    policy.favour_distilling(10.0)
    assert all(parameter.requires_grad for parameter in policy.parameters())


def test_every_policy_in_the_package_is_in_the_table() -> None:
    assert concrete(sakd.routing, RoutingPolicy) == set(POLICIES.values())
