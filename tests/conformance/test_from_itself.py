"""Ways of learning from oneself equal the code of their authors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.comparison import Comparison
from conformance.systems.itself import COMPARISONS


@pytest.mark.parametrize("name", COMPARISONS)
def test_loss_and_gradients_equal_published_code(
    name: str, equal: Callable[[Comparison], None]
) -> None:
    equal(COMPARISONS[name]())
