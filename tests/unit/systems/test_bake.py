"""BAKE: targets are probabilities, and without neighbours the labels are left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.functional import softmax

from sakd.data import Batch, Groups
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.staged import in_mode
from sakd.objectives import Supervised
from sakd.systems import SYSTEMS
from sakd.systems.bake import propagated

Make = Callable[..., Any]


def test_targets_are_probabilities_that_follow_their_neighbours() -> None:
    logits, embedding = torch.randn(6, 5), torch.randn(6, 8)
    targets = propagated(logits, embedding, 0.9)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(6))
    assert (targets >= 0).all()
    own = softmax(logits, dim=1)
    spread = [(rows - rows.mean(dim=0)).norm() for rows in (targets, own)]
    assert spread[0] < spread[1]
    torch.testing.assert_close(propagated(logits, embedding, 0.0), own)


def test_two_images_by_hand() -> None:
    # Each is the other's one neighbour: Q_1 = ((1 - w) P_1 + w (1 - w) P_2) / (1 - w^2).
    logits, embedding = torch.randn(2, 3), torch.randn(2, 4)
    first, second = softmax(logits, dim=1)
    found = propagated(logits, embedding, 0.5)
    torch.testing.assert_close(found[0], (0.5 * first + 0.25 * second) / 0.75)


def test_without_weight_it_is_the_student_alone(
    small_system: Make,
    small_network: Callable[..., StagedNetwork],
    small_batch: Callable[..., Batch],
) -> None:
    batch = small_batch(3)
    for off in ({"weight": 0.0}, {"omega": 0.0}):
        system, alone = small_system("bake", **off), Supervised(small_network(0))
        found, expected = (one(batch).losses["student"] for one in (system, alone))
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    assert torch.equal(small_system("bake", weight=0.0)(batch).losses["student"], expected)


def test_an_image_alone_has_labels_alone(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system = small_system("bake")
    with in_mode(system, training=False):
        assert set(system(small_batch(3, size=1)).terms) == {"cross_entropy"}


def test_it_wants_groups_of_a_class() -> None:
    assert SYSTEMS["bake"].settings(companions=2).groups == Groups(2)
    assert SYSTEMS["byot"].settings().groups is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [("omega", 1.0), ("temperature", 0.0), ("weight", -1.0), ("companions", 0)],
)
def test_settings_have_bounds(setting: str, value: float) -> None:
    with pytest.raises(UserError, match=f"{setting} .*{value}"):
        SYSTEMS["bake"].settings(**{setting: value})
