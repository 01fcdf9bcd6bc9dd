"""The parts of spot distillation and its refusals; its laws are in test_objective_laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.foundation.arithmetic import arithmetic_of
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.zoo.resnet import resnet
from sakd.objectives import DataFacts, SpotDistillation, distil
from sakd.objectives.parameters import Distillation, Routing
from sakd.routing import POLICIES

Objectives = Callable[..., SpotDistillation]
Batches = Callable[..., Batch]

SPOTS = ("stage1", "stage2", "stage3", "logits")
EFFECTIVE = {f"effective_share/{spot}" for spot in SPOTS}

every_policy = pytest.mark.parametrize("policy", POLICIES)


@pytest.mark.parametrize("training", [True, False])
def test_the_students_mode_is_restored_after_the_graft(
    training: bool, small_objective: Objectives, small_batch: Batches
) -> None:
    objective = small_objective("at", "adaptive").train(training)
    objective(small_batch(3))
    assert all(module.training == training for module in objective.student.modules())


@pytest.mark.parametrize(("policy", "aside"), [("adaptive", False), ("heldout", True)])
def test_the_student_begins_the_graft_once_on_the_images_of_the_router(
    policy: str,
    aside: bool,
    small_objective: Objectives,
    small_batch: Batches,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objective, batch = small_objective("at", policy).train(), small_batch(0)
    graft = objective.router.graft
    assert graft is not None
    seen, begin = [], graft.begin
    monkeypatch.setattr(graft, "begin", lambda *given: (seen.append(given), begin(*given))[1])
    networks = arithmetic_of(batch.images.device)
    assert (objective.begin(batch, networks) is None) == aside
    seen.clear()
    objective(batch)
    ((student, images),) = seen
    assert student is objective.student
    assert batch.aside is not None
    assert torch.equal(images, batch.aside.images if aside else batch.images)


def test_without_a_graft_nothing_begins(small_objective: Objectives, small_batch: Batches) -> None:
    objective, batch = small_objective("at", "always"), small_batch(0)
    assert objective.begin(batch, arithmetic_of(batch.images.device)) is None


# Means over samples, so that the losses of two disjoint choices add up; one of each such family.
@pytest.mark.parametrize("distiller", ["kd", "fitnet", "at"])
def test_anti_and_adaptive_share_the_plain_loss_between_them(
    distiller: str, small_objective: Objectives, small_batch: Batches
) -> None:
    adaptive, anti, always = (
        small_objective(distiller, policy).train()(small_batch(5)).terms
        for policy in ("adaptive", "anti", "always")
    )
    assert torch.equal(adaptive["routing"], anti["routing"])
    for name in {distiller, "kd"}:
        assert 0 < adaptive[name] < always[name]
        torch.testing.assert_close(adaptive[name] + anti[name], always[name])


@every_policy
def test_terms_are_detached_scalars_and_name_every_spot(
    policy: str, small_objective: Objectives, small_batch: Batches
) -> None:
    terms = small_objective("at", policy).train()(small_batch(6)).terms
    spots = {f"gate_rate/{spot}" for spot in SPOTS}
    expected = {"cross_entropy", "kd", "at"} | spots
    more = {"routing"} if POLICIES[policy].trained else set()
    assert set(terms) - {"label_rate"} - EFFECTIVE == expected | more
    assert all(term.shape == () and not term.requires_grad for term in terms.values())


def test_progress_that_lacks_something_is_refused(small_objective: Objectives) -> None:
    objective = small_objective("crd", "adaptive")
    progress = objective.progress()
    del progress["distillers.crd.student_bank.rows"]
    with pytest.raises(RuntimeError, match="student_bank"):
        objective.restore(progress)


@pytest.mark.parametrize(
    ("distiller", "spots"),
    [
        ("kd", [(5, 5)]),
        ("fitnet", [(2, 2), (5, 5)]),
        ("at", [(1, 1), (2, 2), (3, 3), (5, 5)]),
        ("sp", [(3, 3), (5, 5)]),
        ("rkd", [(4, 4), (5, 5)]),
        ("fsp", [(0, 0), (1, 1), (2, 2), (3, 3), (5, 5)]),
        ("simkd", [(4, 3), (6, 5)]),
    ],
)
def test_decisions_are_the_distillers_spots_and_then_the_logits(
    distiller: str, spots: list[tuple[int, int]], small_objective: Objectives
) -> None:
    objective = small_objective(distiller, "adaptive")
    assert list(objective.spots) == spots
    assert objective.router.policy.decisions == len(spots)
    assert (
        len(objective.router.graft.to_teacher)
        == len(objective.router.graft.to_student)
        == len(spots) - 1
    )


FACTS = DataFacts((3, 8, 8), torch.arange(4))
Networks = Callable[..., StagedNetwork]


def build(networks: Networks, *names: str, **options: Any) -> SpotDistillation:
    return distil(networks(0), networks(1), *names, FACTS, **options)


@pytest.mark.parametrize(
    ("distiller", "weights", "ce_weight"),
    [
        ("at", {"kd": 1.0, "at": 1000.0}, 1.0),
        ("crd", {"kd": 1.0, "crd": 0.8}, 1.0),
        ("kd", {"kd": 1.0}, 1.0),
        ("dkd", {"dkd": 1.0}, 1.0),
        ("simkd", {"simkd": 1.0}, 0.0),
    ],
)
def test_a_distiller_of_features_comes_with_kd_and_all_with_labels_unless_one_stands_alone(
    distiller: str, weights: dict[str, float], ce_weight: float, small_network: Networks
) -> None:
    objective = build(small_network, distiller, "always")
    assert (objective.weights, objective.ce_weight) == (weights, ce_weight)


def test_a_distiller_can_stand_alone_with_another_weight(small_network: Networks) -> None:
    alone = Distillation(kd_weight=0.0, weights={"sp": 7.0})
    objective = build(small_network, "sp", "always", distillation=alone)
    assert objective.weights == {"sp": 7.0}
    assert list(objective.distillers) == ["sp"]


def test_options_reach_distiller_and_policy(small_network: Networks) -> None:
    warm = Distillation(options={"kd": {"temperature": 2.0}})
    rare = Routing(options={"random": {"rate": 0.1}})
    objective = build(small_network, "kd", "random", distillation=warm, routing=rare)
    assert (objective.distillers["kd"].temperature, objective.router.policy.rate) == (2.0, 0.1)


@pytest.mark.parametrize(("family", "lean"), [("resnet", 10.0), ("other", 0.0)])
def test_networks_of_one_family_start_by_distilling_everywhere(
    family: str, lean: float, small_network: Networks
) -> None:
    student, teacher = small_network(0), small_network(1)
    teacher.family = family
    objective = distil(student, teacher, "at", "adaptive", FACTS)
    bias = objective.router.policy.linear.bias.detach().view(-1, 2)
    torch.testing.assert_close(bias.mean(0), torch.tensor([lean, 0.0]), rtol=0, atol=0.25)


@pytest.mark.parametrize(("gamma", "expected"), [(None, 2.0), (1.5, 1.5)])
def test_gamma_is_the_distillers_unless_given(
    gamma: float | None, expected: float, small_objective: Objectives
) -> None:
    assert small_objective("at", "adaptive", gamma=gamma).router.gamma == expected


@pytest.mark.parametrize("names", [("atn", "always"), ("at", "alway")])
def test_an_unknown_name_is_met_with_the_near_one(
    names: tuple[str, str], small_network: Networks
) -> None:
    with pytest.raises(ValueError, match=r"did you mean 'a(t|lways)'"):
        build(small_network, *names)


def test_networks_of_other_classes_are_refused(small_network: Networks) -> None:
    seven = resnet(7, depth=8, widths=(2, 2, 3, 4))
    with pytest.raises(UserError, match=r"5 classes and .* 7: .*teacher of"):
        distil(small_network(0), seven, "kd", "always", FACTS)
    facts = DataFacts((3, 8, 8), torch.arange(9))
    with pytest.raises(UserError, match=r"5 classes, .* up to 8: .* for 9"):
        distil(small_network(0), small_network(1), "kd", "always", facts)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Distillation(weights={"at": -1.0}), "at must not be negative: -1.0"),
        (lambda: Distillation(kd_weight=-0.5), "kd_weight must not be negative: -0.5"),
        (lambda: Routing(gamma=0.0), "gamma must be above 0, or null, got 0.0"),
        (lambda: Routing(lr_factor=0.0), "lr_factor must be above 0, got 0.0"),
    ],
)
def test_weights_and_rates_that_cannot_train_are_refused(
    make: Callable[[], object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


def test_the_graft_moves_no_statistics_of_either_network(
    small_objective: Objectives, small_batch: Batches
) -> None:
    moved = []
    for policy in ("adaptive", "always"):
        objective = small_objective("at", policy).train()
        networks = (objective.student, objective.teacher)
        before = [{n: b.clone() for n, b in each.named_buffers()} for each in networks]
        objective(small_batch(5))
        assert objective.chooses == (policy == "adaptive")
        assert all(torch.equal(b, before[1][n]) for n, b in objective.teacher.named_buffers())
        moved.append(dict(objective.student.named_buffers()))
    assert all(torch.equal(moved[0][name], moved[1][name]) for name in moved[0])
