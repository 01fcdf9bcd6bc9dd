"""Distillation in phases: what each trains, and what it leaves as it is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch, BatchStream
from sakd.distillers import DISTILLERS, Distiller
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.staging.traced import stage
from sakd.objectives import DataFacts, Distillation, PhasedDistillation, distil
from sakd.routing import POLICIES
from sakd.study.parsing import parse_parameters
from sakd.training import Run

Networks = Callable[..., StagedNetwork]
Batches = Callable[..., Batch]
Streams = Callable[..., BatchStream]

FACTS = DataFacts((3, 8, 8), torch.arange(20) % 5)
TEACHER = (4, 6, 8, 10)
PHASED = [name for name, kind in DISTILLERS.items() if kind.phases is not Distiller.phases]
TRAINED = {  # the student's stages, by method and phase
    "sskd": [{"stem", "stage1"}, {"stage2"}, {"stage3"}, {"embedding", "head"}],
    "projection": [{"stem", "stage1", "stage2", "stage3", "embedding", "head"}] * 2,
}
CASES = [(name, phase) for name, phases in TRAINED.items() for phase in range(len(phases))]


class Dropping(nn.Module):
    """A classifier with a dropout that is a function, not a module, behind each convolution."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 4, 6, 8)
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Classify."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = nn.functional.dropout(norm(layer(x)), 0.5, self.training)
        return self.head(x.mean(dim=(2, 3)))


@pytest.fixture
def build(small_network: Networks) -> Callable[..., PhasedDistillation]:
    """Build an objective with phases."""

    def make(
        method: str = "sskd", policy: str = "always", student: StagedNetwork | None = None
    ) -> PhasedDistillation:
        networks = student or small_network(0), small_network(9, TEACHER)
        return distil(*networks, method, policy, FACTS)

    return make


Build = Callable[..., PhasedDistillation]


def test_every_distiller_with_phases_is_tested() -> None:
    assert set(TRAINED) == set(PHASED)


@pytest.mark.parametrize("policy", ["always", "adaptive"])
@pytest.mark.parametrize(("method", "phase"), CASES)
def test_a_phase_changes_its_own_stages_and_no_others(
    method: str, phase: int, policy: str, build: Build, small_batch: Batches
) -> None:
    run = Run(build(method, policy), epochs=8)
    run.enter(phase)
    student, teacher = run.objective.network, run.objective.problems[0].teacher
    before = copy.deepcopy((student.state_dict(), teacher.state_dict()))
    run.objective.train()
    for seed in range(2):
        run.step(small_batch(seed))
    for name, value in student.state_dict().items():
        changes = name.partition(".")[0] in TRAINED[method][phase]
        assert torch.equal(before[0][name], value) is not changes, name
    assert all(torch.equal(before[1][name], value) for name, value in teacher.state_dict().items())
    training = {name for name, module in student.stage_modules().items() if module.training}
    assert training == TRAINED[method][phase]
    assert not teacher.training


@pytest.mark.parametrize(("method", "phase"), CASES)
def test_its_players_hold_all_that_it_trains_and_have_a_loss_each(
    method: str, phase: int, build: Build, small_batch: Batches
) -> None:
    objective = build(method, "adaptive")
    objective.enter(phase)
    result, players = objective.train()(small_batch(1)), objective.players()
    held = [id(p) for player in players.values() for p in player.parameters]
    assert len(held) == len(set(held))
    own = objective.problem.parameters()
    assert set(held) == {id(p) for p in own if p.requires_grad}
    last = phase == len(TRAINED[method]) - 1
    assert set(result.losses) == set(players) == ({"student"} if last else {"student", "router"})
    assert (objective.request() is None) is last
    assert ("cross_entropy" in result.terms) is (last or method == "projection")
    for name, loss in result.losses.items():
        gradients = torch.autograd.grad(
            loss, players[name].parameters, retain_graph=True, allow_unused=True
        )
        reached = [g for g in gradients if g is not None]
        assert reached
        assert all(g.isfinite().all() for g in reached)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("method", PHASED)
def test_every_policy_routes_the_phases_with_spots(
    method: str, policy: str, build: Build, small_batch: Batches
) -> None:
    objective = build(method, policy)
    for phase, plan in enumerate(objective.plans):
        objective.enter(phase)
        terms = objective.train()(small_batch(1)).terms
        rated = {name for name in terms if name.startswith("gate_rate/")}
        spot = "stage2" if method == "projection" else plan.name
        assert rated == ({f"gate_rate/{spot}", "gate_rate/logits"} if plan.spots else set())
        assert objective.chooses is (bool(plan.spots) and not POLICIES[policy].settled)


def test_what_was_frozen_before_stays_so(build: Build, small_network: Networks) -> None:
    student = small_network(0)
    kept = student.get_submodule("stage2").requires_grad_(False)
    objective = build(student=student)
    for phase in range(4):
        objective.enter(phase)
        assert not any(p.requires_grad for p in kept.parameters())
        assert any(p.requires_grad for p in student.parameters()) is (phase != 1)


def test_what_a_frozen_stage_does_by_a_function_is_that_of_evaluation(build: Build) -> None:
    names = ["norms.0", "norms.1", "norms.2"]
    student = stage(Dropping(), (3, 8, 8), stages=names, num_classes=5)
    objective, images = build(student=student), torch.randn(4, 3, 8, 8)
    objective.enter(1)
    objective.train()
    assert student.training
    calm = student.run(images, 0, 2)
    assert torch.equal(student.run(images, 0, 2), calm)
    assert not torch.equal(student.run(calm, 2, 3), student.run(calm, 2, 3))


def test_all_that_any_phase_asks_of_the_teacher_is_asked_in_each(build: Build) -> None:
    objective = build("sskd", "always")
    asked = []
    for phase in range(3):
        objective.enter(phase)
        asked.append(objective.request())
    assert [request.closed for request in asked] == [{1, 2, 3}] * 3


def test_progress_is_all_but_the_teacher(build: Build, small_network: Networks) -> None:
    objective, other = build(), build(student=small_network(5))
    progress = objective.progress()
    assert all(".teacher." not in name for name in progress)
    other.restore(copy.deepcopy(progress))
    state = other.state_dict()
    assert all(torch.equal(state[name], value) for name, value in progress.items())
    ours, theirs = objective.network.state_dict(), other.network.state_dict()
    assert all(torch.equal(theirs[name], value) for name, value in ours.items())


def test_a_problem_counts_the_epochs_of_its_phase(
    build: Build, small_stream: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int, int]] = []

    def note(distiller: Distiller, epoch: object) -> None:
        seen.append((distiller.pair.spots[0], epoch.number, epoch.total))

    monkeypatch.setattr(DISTILLERS["sskd"], "begin_epoch", note)
    objective = build()
    for phase, epoch in enumerate((0, 3, 4)):
        objective.enter(phase)
        objective.begin_epoch(epoch, 8, small_stream(1))
    assert [rest for _, *rest in seen] == [[0, 2], [1, 2], [0, 2]]


def test_a_distiller_without_phases_is_refused_at_the_door() -> None:
    given = {"distillation": {"objective": "phased"}, "grid": {"distillers": ["at"]}}
    with pytest.raises(UserError, match=r"phased: 'at' has no phases.* sskd, projection"):
        parse_parameters(given).check()


@pytest.mark.parametrize("objective", ["distillation", "phased"])
def test_a_weight_of_0_leaves_nothing_to_distil(objective: str, small_network: Networks) -> None:
    without = Distillation(objective=objective, weights={"sskd": 0.0})
    with pytest.raises(UserError, match=r"weights.sskd is 0.* above 0"):
        distil(small_network(0), small_network(1), "sskd", "always", FACTS, distillation=without)
