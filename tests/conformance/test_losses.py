"""Every distiller's loss, gradients and initial values equal those of the published code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.comparison import Comparison
from conformance.contrast import compare_contrast
from conformance.losses import cases, compare_initial_values, compare_loss

Demand = Callable[[Comparison], None]


@pytest.mark.parametrize("name", cases())
def test_loss_and_gradients_equal_the_reference(name: str, equal: Demand) -> None:
    equal(compare_loss(name))


def test_two_contrastive_losses_and_the_memory_equal_the_reference(equal: Demand) -> None:
    equal(compare_contrast())


def test_initial_values_equal_the_reference(equal: Demand) -> None:
    equal(compare_initial_values())
