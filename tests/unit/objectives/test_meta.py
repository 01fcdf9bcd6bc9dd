"""The weights of a transfer are learnt by the loss of the labels some steps later."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers import Side
from sakd.foundation.errors import UserError
from sakd.objectives import (
    DataFacts,
    Distillation,
    Optimisation,
    SpotDistillation,
    StepResult,
    distil,
)
from sakd.objectives.adam import AdamOptimisation
from sakd.objectives.meta import MetaDistillation
from sakd.study.parsing import parse_parameters
from sakd.training import Run
from sakd.training.optimisation import gradients

Objectives = Callable[..., SpotDistillation]
Batches = Callable[..., Batch]
RECIPE = {"student": Optimisation(lr=0.05, momentum=0.9, weight_decay=0.01)}


@pytest.fixture
def meta(small_objective: Objectives) -> Callable[..., Run]:
    """Start a training in double precision; one step has been taken, so that there is momentum."""

    def start(batch: Batch, method: str = "l2tww", policy: str = "always") -> Run:
        objective = small_objective(method, policy, seed=3).double().train()
        run = Run(objective, epochs=1, optimisation=RECIPE)
        run.update(objective(batch).losses)
        return run

    return start


@pytest.fixture
def batches(small_batch: Batches) -> Batches:
    """Batches in double precision."""
    return lambda seed: small_batch(seed)._replace(images=small_batch(seed).images.double())


def taken(run: Run, batch: Batch, shift: Tensor, channel: nn.Parameter | None) -> float:
    """Take the steps in earnest on a copy; ``shift`` is added to a weight after the first one."""
    memo: dict[int, Any] = {}
    objective, players = copy.deepcopy((run.objective, run.players), memo)
    sgd, learnt = players["student"].optimiser, objective.distillers["l2tww"]
    teacher = objective.teach(batch)
    everybody = torch.ones(len(batch.labels), len(objective.spots), dtype=torch.bool)

    def outputs() -> Any:
        return objective.outputs(objective.student, batch, Side.STUDENT)

    def step(loss: Tensor) -> None:
        players["student"].update(gradients({"student": loss}, players)["student"])

    student = outputs()
    knowledge = objective.knowledge(student, teacher, batch, everybody)
    total = objective.task.loss(student.logits, batch)
    step(total + sum(objective.weights[name] * loss for name, loss in knowledge.items()))
    if channel is not None:
        with torch.no_grad():
            memo[id(channel)].add_(shift)
    for _ in range(2):
        columns = everybody[:, : len(learnt.pair.spots)]
        ours, theirs = outputs().shown_to(learnt), teacher.shown_to(learnt)
        step(objective.weights["l2tww"] * learnt.losses(ours, theirs, batch, columns))
    step(objective.task.loss(outputs().logits, batch))
    assert sgd.param_groups[0]["lr"] == RECIPE["student"].lr
    return float(objective.task.loss(outputs().logits, batch).detach())


def test_the_outer_loss_and_its_gradient_are_those_of_the_steps_taken_in_earnest(
    meta: Callable[..., Run], batches: Batches
) -> None:
    run, batch = meta(batches(1)), batches(2)
    result = copy.deepcopy(run.objective)(batch)
    assert float(result.terms["outer"]) == pytest.approx(taken(run, batch, torch.zeros(()), None))
    losses = run.objective(batch).losses
    parameters = run.players["meta"].parameters
    gradients = torch.autograd.grad(losses["meta"], parameters)
    for k in (0, len(parameters) // 2, len(parameters) - 1):  # of what and of where
        tiny = torch.zeros_like(parameters[k])
        tiny.flatten()[0] = 1e-5
        high, low = (taken(run, batch, way * tiny, parameters[k]) for way in (1, -1))
        expected = (high - low) / 2e-5
        assert float(gradients[k].flatten()[0]) == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_the_student_moves_as_if_nothing_had_been_tried(
    meta: Callable[..., Run], batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, plain = meta(batches(1)), meta(batches(1))
    for run in (tried, plain):
        losses = run.objective(batches(2)).losses
        run.update({"student": losses["student"]})
        monkeypatch.setattr(MetaDistillation, "further", lambda *_: StepResult({}, {}))
    one, other = (run.objective.state_dict() for run in (tried, plain))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_policy_chooses_among_the_samples_for_the_tried_steps_too(
    meta: Callable[..., Run], batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = meta(batches(1), policy="random")
    monkeypatch.setattr(run.objective.router.policy, "rate", 0.0)
    losses = run.objective(batches(2)).losses
    for gradient in torch.autograd.grad(losses["meta"], run.players["meta"].parameters):
        assert not gradient.any()


def test_the_weights_are_a_player_of_their_own_under_adam(
    small_objective: Objectives,
) -> None:
    objective = small_objective("at-l2tww", "adaptive")
    assert isinstance(objective, MetaDistillation)
    players = objective.players()
    assert list(players) == ["student", "router", "meta"]
    assert players["meta"].optimisation == AdamOptimisation(lr=1e-4, weight_decay=1e-4)
    held = set(players["meta"].parameters)
    assert held == set(objective.distillers["l2tww"].choice.parameters())


def test_the_rates_of_all_pairs_of_stages_are_logged(
    small_objective: Objectives, small_batch: Batches
) -> None:
    terms = small_objective("l2tww", "always").train()(small_batch(1)).terms
    rates = {name: float(rate) for name, rate in terms.items() if name.startswith("transfer_rate")}
    stages = [f"stage{k}" for k in (1, 2, 3)]
    assert list(rates) == [f"transfer_rate/{s}-{t}" for t in stages for s in stages]
    assert all(0 <= rate <= 1 for rate in rates.values())
    assert 0 < float(terms["transfer_share"]) < 1


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"distillation": {"objective": "meta"}, "distiller": "at"}, "meta: 'at' has 0 .* leave"),
        ({"distillation": {"objective": "joint"}}, r"'joint': 'l2tww' .* by 'meta': leave one"),
        ({"distillation": {"options": {"l2tww": {"steps": 0}}}}, "steps must be 1 or more, got 0"),
    ],
)
def test_a_study_that_cannot_be_trained_is_refused_at_the_door(
    given: dict[str, Any], complaint: str
) -> None:
    grid = {"distillers": [given.pop("distiller", "l2tww")]}
    with pytest.raises(UserError, match=complaint):
        parse_parameters({**given, "grid": grid}).check()


class Followed(nn.Module):
    """A stage, and an operation behind it."""

    def __init__(self, stage: nn.Module, then: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.stage, self.then = stage, then

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self.stage(x))


def test_a_student_that_cannot_be_differentiated_twice_is_refused_before_training(
    small_network: Callable[..., nn.Sequential], once: Callable[[Tensor], Tensor]
) -> None:
    facts = DataFacts((3, 8, 8), torch.arange(20) % 5)
    student, teacher = small_network(0), small_network(1)
    for network in (student, teacher):
        network.stage2 = Followed(network.stage2, once)
    with pytest.raises(UserError, match=r"twice: .*once_differentiable; take another network"):
        distil(student, small_network(1), "l2tww", "always", facts)
    assert distil(small_network(0), teacher, "l2tww", "always", facts)


def test_without_a_weight_nothing_is_learnt_and_the_outer_loss_is_left_out(
    make_training: Callable[..., Any],
) -> None:
    off = {"weights": {"l2tww": 0.0}}
    plain = make_training("l2tww", distillation=Distillation(**off))
    assert plain.facts["objective"] == "distillation"
    assert type(plain.build(None)) is SpotDistillation
    with pytest.raises(UserError, match=r"weights.l2tww is 0, .* meta .* leave one"):
        make_training("l2tww", distillation=Distillation("meta", **off)).build(None)
