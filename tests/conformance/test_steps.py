"""Two training steps, and what precedes them, equal those of the published code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.comparison import Comparison
from conformance.steps.compare import CASES, UNGATED, compare_silence, compare_steps
from conformance.steps.pretraining import compare_pretraining

Demand = Callable[[Comparison], None]


@pytest.mark.parametrize("name", CASES)
def test_two_steps_equal_the_reference(name: str, equal: Demand) -> None:
    equal(compare_steps(name))


@pytest.mark.parametrize("name", sorted(UNGATED))
def test_a_loss_that_nobody_is_chosen_for_is_silenced(name: str, equal: Demand) -> None:
    equal(compare_silence(name))


def test_the_paraphraser_is_pretrained_as_the_references(equal: Demand) -> None:
    equal(compare_pretraining())
