"""Mixed images: label losses weigh both labels by their shares, others see images or one label."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import pytest
import torch

from sakd.data import Batch
from sakd.data.batches.mixing import Mixture
from sakd.distillers import DISTILLERS
from sakd.objectives import Objective, Supervised

OF_LABELS = {"cross_entropy", "teacher_cross_entropy", "routing", "tofd"}
# The label with the larger share.
OF_ONE_LABEL = {"dkd", "ka", "category", "category_logits", "triplet", "jacobian"}
OF_MIXED_GRADIENTS = {"crcd_gradient"}  # directions of the mixed loss, which are no mixture
SHARE = 0.3

Batches = Callable[..., Batch]
Objectives = Callable[..., Objective]


def terms(objective: Objective, batch: Batch) -> Mapping[str, torch.Tensor]:
    """Give the terms of a first step on ``batch``, in double precision."""
    batch = batch._replace(images=batch.images.double())
    return copy.deepcopy(objective).double().train()(batch).terms


def check(objective: Objective, batch: Batch) -> None:
    partner, share = batch.labels.flip(0), torch.tensor(SHARE, dtype=torch.float64)
    own, other = terms(objective, batch), terms(objective, batch._replace(labels=partner))
    mixed = terms(objective, batch._replace(mixture=Mixture(partner, share)))
    each = terms(objective, batch._replace(mixture=Mixture(partner, share.expand(len(partner)))))
    for name in own.keys() - {"outer"}:  # after steps by mixed labels
        in_shares = SHARE * own[name] + (1 - SHARE) * other[name]
        knowledge = other[name] if name in OF_ONE_LABEL else own[name]
        expected = in_shares if name in OF_LABELS else knowledge
        if name in OF_MIXED_GRADIENTS:
            assert len({float(x[name]) for x in (own, other, mixed)}) == 3
            continue
        torch.testing.assert_close(mixed[name], expected)
        torch.testing.assert_close(each[name], expected)
        assert name not in OF_LABELS | OF_ONE_LABEL or own[name] != other[name]


@pytest.mark.parametrize("method", DISTILLERS)
def test_the_labels_are_mixed_and_the_knowledge_is_of_the_images_or_of_one_label(
    method: str, small_objective: Objectives, small_batch: Batches
) -> None:
    check(small_objective(method, "always"), small_batch(1))


@pytest.mark.parametrize("train_teacher", [False, True])
def test_router_and_teacher_learn_from_mixed_labels(
    train_teacher: bool, small_objective: Objectives, small_batch: Batches
) -> None:
    objective = small_objective("at", "adaptive", gamma=1.0, train_teacher=train_teacher)
    check(objective, small_batch(1))


def test_a_network_alone_learns_from_mixed_labels(
    small_network: Callable[..., torch.nn.Module], small_batch: Batches
) -> None:
    check(Supervised(small_network(0)), small_batch(1))
