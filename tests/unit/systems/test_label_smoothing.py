"""Smoothed labels by hand; at epsilon 0 they are labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.data.batches.mixing import Mixture
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import Supervised
from sakd.systems import SYSTEMS
from sakd.tasks import CLASSIFICATION
from sakd.tasks.smoothing import smoothed_loss


def test_the_loss_by_hand() -> None:
    probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]], dtype=torch.float64)
    images = torch.empty(2, 3, 1, 1)
    batch = Batch(images, torch.tensor([0, 1]), torch.arange(2), 0)
    found = smoothed_loss(probabilities.log(), batch, CLASSIFICATION, 0.2)
    # -0.8 ln 1/2 - 0.2 ln 1/4, and -0.8 ln 1/8 - 0.1 ln 1/8 - 0.1 ln 3/4, in units of ln 2
    ln2, ln34 = torch.tensor([2.0, 0.75], dtype=torch.float64).log()
    torch.testing.assert_close(found, ((0.8 + 0.4) * ln2 + 2.7 * ln2 - 0.1 * ln34) / 2)
    both = batch._replace(mixture=Mixture(torch.tensor([1, 0]), torch.tensor(0.5)))
    swapped = batch._replace(labels=torch.tensor([1, 0]))
    halves = (found + smoothed_loss(probabilities.log(), swapped, CLASSIFICATION, 0.2)) / 2
    mixed = smoothed_loss(probabilities.log(), both, CLASSIFICATION, 0.2)
    torch.testing.assert_close(mixed, halves)


def test_without_a_share_it_is_the_student_alone(
    small_system: Callable[..., Any],
    small_network: Callable[..., StagedNetwork],
    small_batch: Callable[..., Batch],
) -> None:
    batch = small_batch(3)
    system, alone = small_system("label_smoothing", epsilon=0.0), Supervised(small_network(0))
    assert torch.equal(system(batch).losses["student"], alone(batch).losses["student"])


def test_a_share_is_below_one() -> None:
    with pytest.raises(UserError, match=r"epsilon .* 0 to below 1, got 1\.5"):
        SYSTEMS["label_smoothing"].settings(epsilon=1.5)
