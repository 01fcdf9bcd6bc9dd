"""The laws of distillation, for every distiller and policy, and for both kinds of teacher."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy, log_softmax, softmax

from sakd.data import Batch
from sakd.distillers import DISTILLERS
from sakd.objectives import SpotDistillation
from sakd.routing import POLICIES
from sakd.training import Precision, Run

Start = Callable[..., SpotDistillation]
Batches = Callable[..., Batch]

# Distillers and policies meet in a sum alone, so each axis is walked by itself.
EVERY = [(name, "adaptive", False) for name in DISTILLERS]
EVERY += [("at", policy, False) for policy in POLICIES if policy != "adaptive"]
EVERY += [("at-sp", policy, True) for policy in ("always", "adaptive")]


@pytest.fixture(params=EVERY, ids=lambda case: "-".join(map(str, case)))
def start(request: pytest.FixtureRequest, small_objective: Start) -> Start:
    """Start an objective of every kind, in training mode."""
    method, policy, train_teacher = request.param

    def build(seed: int = 0) -> SpotDistillation:
        return small_objective(method, policy, seed=seed, train_teacher=train_teacher).train()

    return build


def test_players_are_disjoint_and_hold_all_that_is_trained(start: Start) -> None:
    objective = start()
    players = objective.players()
    held = [id(parameter) for player in players.values() for parameter in player.parameters]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in objective.parameters() if p.requires_grad}
    further = {"router": objective.router.policy.trained, "meta": "l2tww" in objective.weights}
    assert set(players) == {"student", *(name for name, there in further.items() if there)}
    trained = {parameter.requires_grad for parameter in objective.teacher.parameters()}
    assert trained == {not objective.frozen}


def test_each_loss_reaches_its_own_player_and_no_other(start: Start, small_batch: Batches) -> None:
    objective = start()
    result = objective(small_batch(1))
    players = objective.players()
    assert set(result.losses) == set(players)
    everybody = not objective.router.policy.trained and bool(result.terms["gate_rate/logits"] == 1)
    for name, loss in result.losses.items():
        for player, (parameters, *_) in players.items():
            gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
            if player != name:
                assert all(gradient is None for gradient in gradients)
                continue
            reached = [gradient for gradient in gradients if gradient is not None]
            assert len(reached) == len(gradients) or not (name == "router" or everybody)
            assert reached
            assert all(gradient.isfinite().all() for gradient in reached)


def test_a_step_moves_the_trained_parts_and_leaves_everything_in_its_mode(
    start: Start, small_batch: Batches
) -> None:
    objective = start()
    before = copy.deepcopy(objective.state_dict())
    modes = [module.training for module in objective.modules()]
    wants = [parameter.requires_grad for parameter in objective.parameters()]
    run = Run(objective, epochs=1)
    run.update(objective(small_batch(2)).losses)
    assert [module.training for module in objective.modules()] == modes
    assert {module.training for module in objective.teacher.modules()} == {not objective.frozen}
    assert [parameter.requires_grad for parameter in objective.parameters()] == wants
    trained = {name for name, parameter in objective.named_parameters() if parameter.requires_grad}
    for name, value in objective.state_dict().items():
        if name.split(".")[0] in objective.frozen:
            assert torch.equal(before[name], value), name
        elif name.startswith(("student.", "teacher.")):
            assert name not in trained or not torch.equal(before[name], value), name
            if name.endswith("num_batches_tracked"):  # which the graft does not move
                owner = objective.get_submodule(name.rpartition(".")[0])
                assert int(value) == owner.training


def test_progress_restores_all_but_the_frozen_parts(start: Start, small_batch: Batches) -> None:
    objective, other = start(seed=1), start(seed=2)
    objective(small_batch(0))
    progress = copy.deepcopy(objective.progress())
    state = objective.state_dict()
    left_out = {name.split(".")[0] for name in state.keys() - progress.keys()}
    assert left_out == set(objective.frozen)
    other.restore(progress)
    assert all(torch.equal(state[name], value) for name, value in other.state_dict().items())


@pytest.mark.parametrize("autocast", [None, torch.bfloat16])
def test_degenerate_images_and_weights_give_finite_losses_and_gradients(
    autocast: torch.dtype | None, start: Start, assert_finite: Any
) -> None:
    assert_finite(start, Precision(autocast))


@pytest.mark.parametrize("train_teacher", [False, True])
def test_always_is_plain_distillation_by_hand(
    train_teacher: bool, small_objective: Start, small_batch: Batches
) -> None:
    objective = small_objective("at", "always", train_teacher=train_teacher).double().train()
    batch = small_batch(4)
    batch = batch._replace(images=batch.images.double())
    student, teacher = copy.deepcopy(objective.student), copy.deepcopy(objective.teacher)
    result = objective(batch)

    (f_s, z_s), (f_t, z_t) = student.extract(batch.images), teacher.extract(batch.images)
    p_s, p_t = log_softmax(z_s / 4, dim=1), softmax(z_t / 4, dim=1)
    kd = 16 * (p_t * (p_t.log() - p_s)).sum() / len(batch.labels)
    at = torch.zeros((), dtype=torch.float64)
    for k in (1, 2, 3):
        q_s, q_t = f_s[k].pow(2).mean(1).flatten(1), f_t[k].pow(2).mean(1).flatten(1)
        q_s, q_t = (q / q.pow(2).sum(1, keepdim=True).sqrt() for q in (q_s, q_t))
        at = at + (q_s - q_t).pow(2).mean()
    total = cross_entropy(z_s, batch.labels) + kd + 1000 * at
    trained = list(student.parameters())
    if train_teacher:
        total = total + cross_entropy(z_t, batch.labels)
        trained += teacher.parameters()

    torch.testing.assert_close(result.losses["student"], total)
    ours = torch.autograd.grad(result.losses["student"], objective.players()["student"].parameters)
    for gradient, expected in zip(ours, torch.autograd.grad(total, trained), strict=True):
        torch.testing.assert_close(gradient, expected)
    torch.testing.assert_close(result.terms["kd"], kd.detach())
    torch.testing.assert_close(result.terms["at"], at.detach())
