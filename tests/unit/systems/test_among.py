"""Routing among teachers: with one it is SAKD; with several, one of them at a spot, or none."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch, BatchStream
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.chain import Chain
from sakd.networks.zoo.resnet import resnet
from sakd.objectives import DataFacts, Distillation, Graft, Optimisation, Router, Routing
from sakd.objectives.parameters import Options
from sakd.objectives.spot_distillation import SpotDistillation
from sakd.routing import RoutingPolicy
from sakd.routing.adaptive import Adaptive
from sakd.routing.always import Always
from sakd.routing.budget import Budget
from sakd.routing.random import Random
from sakd.routing.random_matched import RandomMatched
from sakd.systems import SYSTEMS, Partner, Situation
from sakd.systems.among import Among
from sakd.systems.parts.grafts import Grafts
from sakd.training import fit, pretrain
from sakd.training.tally import Tally

Make = Callable[..., Any]


def by_teacher(system: Among, batch: Batch) -> list[Tensor]:
    """Route ``batch``, and give the choice (B, spots) of each teacher."""
    routes = []
    hook = system.router.policy.register_forward_hook(lambda *seen: routes.append(seen[-1]))
    system(batch)
    hook.remove()
    return list(system.by_teacher(routes[0].share))


def test_with_one_teacher_it_is_spot_distillation(
    small_objective: Callable[..., SpotDistillation], small_batch: Callable[..., Batch]
) -> None:
    batch, spot = small_batch(3), small_objective("at", "adaptive")
    plain = small_objective("at", "always")
    assert spot.router.graft is not None
    grafts = Grafts([copy.deepcopy(spot.router.graft)])
    router = Router(copy.deepcopy(spot.router.policy), gamma=spot.router.gamma)
    among = Among([plain], router, grafts)
    expected, found = spot.train()(batch), among.train()(batch)
    assert 0 < found.terms["gate_rate/stage1-teacher1"] < 1
    assert torch.equal(found.losses["student"], expected.losses["student"])
    torch.testing.assert_close(found.losses["router"], expected.losses["router"])
    ours = torch.autograd.grad(found.losses["router"], among.players()["router"].parameters)
    theirs = torch.autograd.grad(expected.losses["router"], spot.players()["router"].parameters)
    torch.testing.assert_close(ours, theirs)


class TestGrafts:
    """The graft with two teachers, by hand."""

    @pytest.fixture
    def networks(self, small_network: Callable[..., StagedNetwork]) -> list[StagedNetwork]:
        """A student and two teachers."""
        widths = [(4, 4, 6, 8), (6, 6, 8, 10), (8, 6, 4, 10)]
        return [small_network(seed, width).eval() for seed, width in enumerate(widths)]

    @pytest.fixture
    def grafts(self, small_system: Make, networks: Sequence[StagedNetwork]) -> Grafts:
        """Adapters at every stage."""
        student, *teachers = networks
        data = DataFacts((3, 8, 8), torch.arange(5))
        situation = Situation(student, tuple(teachers), data, small_system, policy=Adaptive)
        grafts = SYSTEMS["among"].of(situation, SYSTEMS["among"].settings()).grafts
        assert isinstance(grafts, Grafts)
        return grafts.eval()

    def run(
        self, grafts: Grafts, networks: Sequence[StagedNetwork], images: Tensor, gates: Tensor
    ) -> Tensor:
        """Run the graft by the same ``gates`` (spots, M) for all samples."""
        student, *teachers = networks
        reached = [one.run(images, 0, 2).detach() for one in teachers]
        everybody = gates.expand(len(images), -1, -1)
        logits: Tensor = grafts(student, teachers, images, reached, everybody)
        return logits

    @pytest.mark.parametrize("chosen", [0, 1, 2])
    def test_the_same_choice_everywhere_gives_the_logits_of_that_network(
        self,
        chosen: int,
        grafts: Grafts,
        networks: Sequence[StagedNetwork],
        small_batch: Callable[..., Batch],
    ) -> None:
        images, gates = small_batch(3).images, torch.zeros(4, 2)
        if chosen:
            gates[:, chosen - 1] = 1
        assert torch.equal(self.run(grafts, networks, images, gates), networks[chosen](images))

    def test_a_path_goes_on_from_the_network_that_was_chosen(
        self,
        grafts: Grafts,
        networks: Sequence[StagedNetwork],
        small_batch: Callable[..., Batch],
    ) -> None:
        student, first, second = networks
        images = small_batch(3).images
        gates = torch.tensor([[1.0, 0], [0, 1], [0, 0], [0, 0]])  # teacher 1, 2, then the student
        one, two = grafts.grafts
        assert isinstance(one, Graft)
        assert isinstance(two, Graft)
        path = two.to_teacher[0](one.to_student[0](first.run(images, 0, 2)))
        path = two.to_student[1](second.run(path, 2, 3))
        torch.testing.assert_close(self.run(grafts, networks, images, gates), student.run(path, 3))

    def test_gates_have_a_gradient_and_networks_have_none(
        self,
        grafts: Grafts,
        networks: Sequence[StagedNetwork],
        small_batch: Callable[..., Batch],
    ) -> None:
        gates = torch.zeros(4, 2).requires_grad_()
        self.run(grafts, networks, small_batch(3).images, gates).square().sum().backward()
        assert gates.grad is not None
        assert bool((gates.grad != 0).all())
        assert all(p.grad is None for network in networks for p in network.parameters())
        assert all(p.requires_grad for p in networks[0].parameters())


@pytest.mark.parametrize("policy", [Adaptive, RandomMatched, Random])
def test_a_sample_has_at_most_one_teacher_at_a_spot(
    policy: type[RoutingPolicy], small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system = small_system("among", policy=policy)
    counts = torch.stack(by_teacher(system, small_batch(3, 60))).sum(dim=0)
    assert counts.shape == (60, 4)
    assert set(counts.unique().tolist()) == {0, 1}


def test_random_teachers_are_chosen_alike_and_at_the_rate(
    small_situation: Callable[..., Situation], small_batch: Callable[..., Batch]
) -> None:
    routing = Routing(options={"random": {"rate": 0.8}})
    situation = dataclasses.replace(
        small_situation(Partner.TEACHERS), policy=Random, routing=routing
    )
    system = SYSTEMS["among"].of(situation, SYSTEMS["among"].settings())
    rates = [float(s.float().mean()) for s in by_teacher(system, small_batch(3, 500))]
    assert rates == pytest.approx([0.4, 0.4], abs=0.05)


def test_matched_rates_are_those_of_the_trained_policy_for_every_teacher(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    batch = small_batch(3, 40)
    chosen, matched = (
        torch.stack(by_teacher(small_system("among", policy=policy), batch))
        for policy in (Adaptive, RandomMatched)
    )
    assert torch.equal(chosen.sum(dim=1), matched.sum(dim=1))
    assert not torch.equal(chosen, matched)


def test_always_is_the_mean_of_plain_distillation_from_each_teacher(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system, batch = small_system("among", policy=Always), small_batch(3)
    own, each = system(batch), [copy.deepcopy(lesson)(batch) for lesson in system.lessons]
    mean = torch.stack([one.losses["student"] for one in each]).mean()
    torch.testing.assert_close(own.losses["student"], mean)
    assert set(own.losses) == {"student"}
    assert own.terms["gate_rate/stage2-teacher2"] == 1


def knows(label: int) -> StagedNetwork:
    """A teacher that finds one class in every image."""
    network = resnet(5, depth=8, widths=(4, 4, 6, 8))
    head = network.stage_modules()["head"]
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
        head.bias[label] = 9.0  # type: ignore[index, operator]
    return network


def test_the_router_finds_the_teacher_that_is_right(
    small_situation: Callable[..., Situation], small_stream: Callable[..., BatchStream]
) -> None:
    situation = dataclasses.replace(
        small_situation(Partner.TEACHERS),
        partners=(knows(3), knows(1)),
        policy=Adaptive,
        routing=Routing(same_family_bias=0.0),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        system = SYSTEMS["among"].of(situation, SYSTEMS["among"].settings(method="kd"))
    stream = small_stream(1)
    stream._labels.fill_(1)
    recipe = {"student": Optimisation(lr=1e-6), "router": Optimisation(lr=0.5)}
    history = fit(system, stream, epochs=10, optimisation=recipe)
    assert history[-1]["gate_rate/logits-teacher2"] > 0.9
    assert history[-1]["gate_rate/logits-teacher1"] < 0.1


def test_decisions_are_counted_for_every_teacher(
    small_system: Make, small_stream: Callable[..., BatchStream]
) -> None:
    system, labels = small_system("among", policy=Adaptive), torch.arange(20) % 5
    tally = Tally(system, 20)
    for batch in small_stream(1).epoch(0):
        system(batch)
    frame = tally.frame(labels)
    first, second = (frame[f"rate/logits-teacher{number}"] for number in (1, 2))
    assert (frame["seen/logits-teacher1"] == 1).all()
    assert set(first + second) == {0, 1}


@pytest.mark.parametrize("method", ["ft", "crd", "sp", "jacobian", "at-rkd"])
def test_distillers_of_every_kind_compare_with_every_teacher(
    method: str,
    small_situation: Callable[..., Situation],
    small_stream: Callable[..., BatchStream],
    brief: Options,
) -> None:
    situation = dataclasses.replace(
        small_situation(Partner.TEACHERS),
        distillation=Distillation(options=brief),
        policy=Adaptive,
        routing=Routing(same_family_bias=0.0),
    )
    system = SYSTEMS["among"].of(situation, SYSTEMS["among"].settings(method=method))
    stream = small_stream(1)
    pretrain(system, stream)
    (record,) = fit(system, stream, epochs=1, optimisation={"student": Optimisation(lr=1e-3)})
    for name in Method.of(method).everyone:
        assert record[name] > 0


@pytest.mark.parametrize("method", ["simkd", "at-simkd", "sskd", "projection", "l2tww"])
def test_methods_for_one_teacher_are_refused(method: str) -> None:
    with pytest.raises(UserError, match=rf"{method}.*(one teacher|stands alone)"):
        SYSTEMS["among"].settings(method=method)


def test_other_policies_are_refused(small_system: Make) -> None:
    with pytest.raises(UserError, match=r"'budget' cannot choose .* adaptive, always, random"):
        small_system("among", policy=Budget)


def test_teachers_meet_the_student_at_the_same_stages(
    small_situation: Callable[..., Situation],
) -> None:
    situation, settings = small_situation(Partner.TEACHERS), SYSTEMS["among"].settings
    first, second = situation.partners
    stem, one, two, *rest = second.stage_modules().items()
    short = Chain(dict([stem, ("both", nn.Sequential(one[1], two[1])), *rest]), family="short")
    uneven = dataclasses.replace(situation, partners=(first, short))
    with pytest.raises(UserError, match=r"teacher 2 at stage2, .*equally many stages"):
        SYSTEMS["among"].of(uneven, settings())
    SYSTEMS["among"].of(uneven, settings(method="kd"))
