"""A teacher that is trained along with its student."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import cross_entropy, log_softmax, softmax

from sakd.data import Batch
from sakd.distillers import DISTILLERS
from sakd.errors import UserError
from sakd.objectives import JointDistillation
from sakd.training import Optimisation
from sakd.training.fit import Run

Batches = Callable[..., Batch]
Objectives = Callable[..., JointDistillation]

WITH_A_TEACHER_IN_TRAINING = [name for name, kind in DISTILLERS.items() if not kind.rebuilding]
every_distiller = pytest.mark.parametrize("method", [*WITH_A_TEACHER_IN_TRAINING, "at-sp"])
both_policies = pytest.mark.parametrize("policy", ["always", "adaptive"])


@pytest.fixture
def joint(small_objective: Callable[..., JointDistillation]) -> Objectives:
    """Train a small teacher along."""

    def start(method: str, policy: str, seed: int = 0) -> JointDistillation:
        return small_objective(method, policy, seed=seed, train_teacher=True)

    return start


@every_distiller
@both_policies
def test_players_are_disjoint_and_each_loss_reaches_its_own(
    method: str, policy: str, joint: Objectives, small_batch: Batches
) -> None:
    objective = joint(method, policy).train()
    players = objective.players()
    held = [id(parameter) for group in players.values() for parameter in group]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in objective.parameters() if p.requires_grad}
    assert {id(p) for p in objective.teacher.parameters()} <= set(held)
    losses = objective(small_batch(1)).losses
    assert set(losses) == set(players)
    for name, loss in losses.items():
        for player, parameters in players.items():
            gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
            assert player == name or all(gradient is None for gradient in gradients)
            assert player != name or all(g is None or g.isfinite().all() for g in gradients)
    teachers = list(objective.teacher.parameters())
    assert all(g is not None for g in torch.autograd.grad(losses["student"], teachers))


def test_both_networks_minimise_one_loss_by_hand(joint: Objectives, small_batch: Batches) -> None:
    objective, batch = joint("at", "always").double().train(), small_batch(4)
    batch = batch._replace(images=batch.images.double())
    student, teacher = copy.deepcopy(objective.student), copy.deepcopy(objective.teacher)
    result = objective(batch)

    (f_s, z_s), (f_t, z_t) = student.trace(batch.images), teacher.trace(batch.images)
    p_s, p_t = log_softmax(z_s / 4, dim=1), softmax(z_t / 4, dim=1)
    total = cross_entropy(z_s, batch.labels) + cross_entropy(z_t, batch.labels)
    total = total + 16 * (p_t * (p_t.log() - p_s)).sum() / len(batch.labels)
    for k in (1, 2, 3):
        q_s, q_t = f_s[k].pow(2).mean(1).flatten(1), f_t[k].pow(2).mean(1).flatten(1)
        q_s, q_t = (q / q.pow(2).sum(1, keepdim=True).sqrt() for q in (q_s, q_t))
        total = total + 1000 * (q_s - q_t).pow(2).mean()

    torch.testing.assert_close(result.losses["student"], total)
    ours = torch.autograd.grad(result.losses["student"], objective.players()["student"])
    by_hand = torch.autograd.grad(total, [*student.parameters(), *teacher.parameters()])
    for gradient, expected in zip(ours, by_hand, strict=True):
        torch.testing.assert_close(gradient, expected)


@every_distiller
@both_policies
def test_a_step_moves_both_networks_and_leaves_everything_in_its_mode(
    method: str, policy: str, joint: Objectives, small_batch: Batches
) -> None:
    objective = joint(method, policy).train()
    before = copy.deepcopy(objective.state_dict())
    wants = [parameter.requires_grad for parameter in objective.parameters()]
    run = Run(objective, dict.fromkeys(objective.players(), Optimisation()), 1, 1)
    run.step(objective(small_batch(2)).losses)
    after = objective.state_dict()
    for side in ("student", "teacher"):
        names = [name for name in after if name.startswith(f"{side}.")]
        assert not any(torch.equal(before[name], after[name]) for name in names)
        counted = {int(after[name]) for name in names if name.endswith("num_batches_tracked")}
        assert counted == {1}  # the graft does not move the statistics
    assert all(module.training for module in objective.modules())
    assert [parameter.requires_grad for parameter in objective.parameters()] == wants


def test_progress_has_the_teacher(joint: Objectives, small_batch: Batches) -> None:
    objective, other = joint("sp", "adaptive", seed=1).train(), joint("sp", "adaptive", seed=2)
    objective(small_batch(0))
    assert objective.progress().keys() == objective.state_dict().keys()
    other.restore(copy.deepcopy(objective.progress()))
    state = objective.state_dict()
    assert all(torch.equal(state[name], value) for name, value in other.state_dict().items())


def test_the_routers_loss_is_gamma_times_the_cross_entropy_of_the_graft(joint: Objectives) -> None:
    objective = joint("at", "adaptive")
    closed = torch.zeros(6)
    for grafted, alone in [(1.0, 2.0), (2.0, 1.0)]:
        loss = objective.routing_loss(torch.tensor(grafted), torch.tensor(alone), closed)
        assert float(loss) == 2 * grafted


def test_the_result_is_the_student(joint: Objectives) -> None:
    objective = joint("kd", "always")
    assert objective.network is objective.student


@pytest.mark.parametrize("method", [n for n in DISTILLERS if n not in WITH_A_TEACHER_IN_TRAINING])
def test_a_student_that_takes_a_part_of_its_teacher_needs_a_trained_one(
    method: str, joint: Objectives
) -> None:
    with pytest.raises(UserError, match=rf"train_teacher: '{method}' copies .* leave one out"):
        joint(method, "always")
