"""The conditional policy: the teacher where it is right, the label where it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sakd.data import Batch
from sakd.data.batches.mixing import Mixture
from sakd.distillers import DISTILLERS, Pair
from sakd.networks import StagedNetwork
from sakd.networks.spots import Spot
from sakd.objectives import DataFacts, Distillation, Routing, SpotDistillation, distil
from sakd.routing import RoutingPolicy, Scene

Make = Callable[..., RoutingPolicy]
Scenes = Callable[..., Scene]
Networks = Callable[..., StagedNetwork]
Batches = Callable[..., Batch]

STUDENT = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
TEACHER = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
LABELS = torch.tensor([0, 2])


def test_the_loss_of_two_samples_is_that_by_hand(make: Make, scene: Scenes) -> None:
    seen = scene(logits=(STUDENT, TEACHER), labels=LABELS)
    share, _, labels, _ = make("conditional")(seen)
    pair = Pair((Spot(1, 1),), ((3,),), ((3,),), LABELS)
    kd = DISTILLERS["kd"](pair, temperature=1.0)
    loss = kd.loss(0, STUDENT, TEACHER, seen.batch, share[:, -1])
    loss = loss + (labels * seen.student.losses).mean()
    assert share.tolist() == [[True] * 3, [False] * 3]
    assert float(loss) == pytest.approx(0.325165, abs=1e-6)


def test_a_mixed_image_has_the_label_with_the_larger_share(make: Make, scene: Scenes) -> None:
    right = []
    for share in (0.4, 0.6):
        mixture = Mixture(torch.tensor([1, 1]), torch.tensor(share))
        seen = scene(logits=(STUDENT, TEACHER), labels=LABELS, mixture=mixture)
        right.append(make("conditional")(seen).share[:, 0].tolist())
    assert right == [[False, True], [True, False]]


def taught(
    objective: SpotDistillation, batch: Batch, labels: Callable[[Tensor], Tensor]
) -> dict[str, Tensor]:
    """Take a step whose labels follow from the teacher's answers."""
    answers = objective.teacher(batch.images).argmax(dim=1)
    result = objective.train()(batch._replace(labels=labels(answers)))
    return {**result.terms, "loss": result.losses["student"].detach()}


def build(networks: Networks, policy: str, **options: bool) -> SpotDistillation:
    facts = DataFacts((3, 8, 8), torch.arange(20) % 5)
    plain = Distillation(ce_weight=0.0 if policy == "always" else 1.0)
    routing = Routing(options={"conditional": options})
    pair = networks(0), networks(1)
    return distil(*pair, "at", policy, facts, distillation=plain, routing=routing)


def test_with_a_perfect_teacher_it_is_plain_distillation_without_labels(
    small_network: Networks, small_batch: Batches
) -> None:
    ours, plain = (
        taught(build(small_network, name), small_batch(2), lambda answers: answers)
        for name in ("conditional", "always")
    )
    assert torch.equal(ours["loss"], plain["loss"])
    assert ours["gate_rate/logits"] == 1
    assert ours["label_rate"] == ours["cross_entropy"] == 0


@pytest.mark.parametrize("keep", [False, True])
def test_with_a_teacher_that_is_always_wrong_it_is_the_labels_alone(
    keep: bool,
    small_network: Networks,
    small_batch: Batches,
) -> None:
    objective = build(small_network, "conditional", keep_labels=keep)
    terms = taught(objective, small_batch(2), lambda answers: (answers + 1) % 5)
    torch.testing.assert_close(terms["loss"], terms["cross_entropy"])
    assert terms["gate_rate/stage1"] == terms["kd"] == terms["at"] == 0
    assert ("label_rate" in terms) != keep


def test_labels_that_are_kept_weigh_as_they_always_do(
    small_network: Networks, small_batch: Batches
) -> None:
    kept = build(small_network, "conditional", keep_labels=True)
    plain = build(small_network, "random")
    terms = [taught(one, small_batch(2), lambda answers: answers) for one in (kept, plain)]
    assert torch.equal(terms[0]["cross_entropy"], terms[1]["cross_entropy"])
