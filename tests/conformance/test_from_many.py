"""Systems of several teachers equal published code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.comparison import Comparison
from conformance.systems.many import COMPARISONS


@pytest.mark.parametrize("name", COMPARISONS)
def test_loss_and_gradients_equal_published_code(
    name: str, equal: Callable[[Comparison], None]
) -> None:
    equal(COMPARISONS[name]())
