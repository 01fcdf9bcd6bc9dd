"""Systems that the reference does not have equal other published code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.comparison import Comparison
from conformance.survey.table import SURVEY


@pytest.mark.parametrize("name", SURVEY)
def test_loss_and_gradients_equal_published_code(
    name: str, equal: Callable[[Comparison], None]
) -> None:
    equal(SURVEY[name]())
