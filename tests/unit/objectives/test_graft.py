"""The laws of the graft, at the spots of every family and with a rebuilt student."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers import DISTILLERS
from sakd.objectives import SpotDistillation

Objectives = Callable[..., SpotDistillation]
Batches = Callable[..., Batch]

# The graft depends on the spots and the networks alone, so one distiller of each kind will do.
KINDS = {(kind.family, bool(kind.rebuilding)): name for name, kind in DISTILLERS.items()}


@pytest.fixture(params=KINDS.values())
def objective(request: pytest.FixtureRequest, small_objective: Objectives) -> SpotDistillation:
    return small_objective(request.param, "adaptive").train()


def warmed(objective: SpotDistillation, images: Tensor) -> Tensor:
    """Move the statistics away from their start; give the teacher's feature at the first spot."""
    objective.student(images)
    with torch.no_grad():
        features, logits = objective.teacher.extract(images)
    objective.student.eval()
    return [*features, logits][objective.spots[0].teacher]


def grafted(objective: SpotDistillation, images: Tensor, gate: Tensor) -> Tensor:
    reached = warmed(objective, images)
    return objective.router.graft(objective.student, objective.teacher, images, reached, gate)


@pytest.mark.parametrize(("gate", "side"), [(0.0, "student"), (1.0, "teacher")])
def test_with_every_gate_closed_the_graft_is_the_student_and_with_every_gate_open_the_teacher(
    gate: float, side: str, objective: SpotDistillation, small_batch: Batches
) -> None:
    images = small_batch(0).images
    logits = grafted(objective, images, torch.full((6, len(objective.spots)), gate))
    expected = objective.get_submodule(side)(images)
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-6)


def test_each_sample_follows_its_own_gate(
    objective: SpotDistillation, small_batch: Batches
) -> None:
    images = small_batch(0).images
    gate = torch.zeros(6, len(objective.spots))
    gate[::2] = 1
    logits = grafted(objective, images, gate)
    expected = torch.where(gate[:, -1:] > 0, objective.teacher(images), objective.student(images))
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-5)


def test_the_graft_equals_a_full_double_forward_by_hand(
    objective: SpotDistillation, small_batch: Batches
) -> None:
    images = small_batch(0).images
    gate = torch.rand(6, len(objective.spots), generator=torch.Generator().manual_seed(0)).round()
    logits = grafted(objective, images, gate)
    s = t = images
    student, teacher, done = objective.student, objective.teacher, (0, 0)
    for k, spot in enumerate(objective.spots):
        last = k == len(objective.spots) - 1
        s, t = student.run(s, done[0], spot.student + 1), teacher.run(t, done[1], spot.teacher + 1)
        done = (spot.student + 1, spot.teacher + 1)
        a = gate[:, k].view(-1, *[1] * (s.dim() - 1))
        if last:
            s = (1 - a) * s + a * t
            break
        adapted = objective.router.graft.to_teacher[k](s), objective.router.graft.to_student[k](t)
        t, s = (1 - a) * adapted[0] + a * t, (1 - a) * s + a * adapted[1]
    torch.testing.assert_close(logits, s, rtol=1e-5, atol=1e-5)


def test_gradients_reach_the_gate_and_the_adapters_only(
    objective: SpotDistillation, small_batch: Batches
) -> None:
    gate = torch.full((6, len(objective.spots)), 0.5, requires_grad=True)
    loss = grafted(objective, small_batch(0).images, gate).square().sum()
    networks = [*objective.student.parameters(), *objective.teacher.parameters()]
    loss.backward()
    assert all(parameter.grad is None for parameter in networks)
    assert (gate.grad != 0).any(dim=0).all()
    assert all(parameter.grad is not None for parameter in objective.router.graft.parameters())


def test_the_graft_leaves_both_networks_as_they_were(
    objective: SpotDistillation, small_batch: Batches
) -> None:
    objective.student.stage1.requires_grad_(False)
    images = small_batch(0).images
    reached = warmed(objective, images)
    networks = (objective.student, objective.teacher)
    wants = [p.requires_grad for n in networks for p in n.parameters()]
    states = [{k: v.clone() for k, v in n.state_dict().items()} for n in networks]
    gate = torch.ones(6, len(objective.spots))
    objective.router.graft(*networks, images, reached, gate)
    assert [p.requires_grad for n in networks for p in n.parameters()] == wants
    for network, state in zip(networks, states, strict=True):
        assert not network.training
        assert all(torch.equal(state[k], v) for k, v in network.state_dict().items())


def test_a_graft_that_fails_gives_the_gradients_back(
    objective: SpotDistillation, small_batch: Batches
) -> None:
    images = small_batch(0).images
    wants = [parameter.requires_grad for parameter in objective.student.parameters()]
    reached = warmed(objective, images)
    with pytest.raises(RuntimeError):
        objective.router.graft(
            objective.student, objective.teacher, images, reached, torch.ones(5, 9)
        )
    assert [parameter.requires_grad for parameter in objective.student.parameters()] == wants


def test_the_graft_spares_the_teacher_its_second_pass_before_the_first_spot(
    objective: SpotDistillation, small_batch: Batches
) -> None:
    images = small_batch(0).images
    reached = warmed(objective, images)
    ran = []
    for name in objective.teacher.stage_names:
        stage = objective.teacher.get_submodule(name)
        stage.register_forward_hook(lambda *_, name=name: ran.append(name))
    gate = torch.ones(6, len(objective.spots))
    objective.router.graft(objective.student, objective.teacher, images, reached, gate)
    assert ran == list(objective.teacher.stage_names[objective.spots[0].teacher + 1 :])
