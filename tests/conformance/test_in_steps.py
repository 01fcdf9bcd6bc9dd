"""Learning in steps equals published code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from conformance.comparison import Comparison, golden
from conformance.systems.steps import FILE, compare_dense, compare_step

KINDS: dict[str, Callable[[str], Comparison]] = {"takd": compare_step, "dgkd": compare_dense}
CASES = sorted({key.rsplit("/", 1)[0] for key in golden(f"systems/{FILE}")})
COMPARISONS = {
    case: partial(KINDS[kind], name) for case in CASES for kind, name in [case.split("/")]
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_loss_and_gradient_equal_published_code(
    name: str, equal: Callable[[Comparison], None]
) -> None:
    equal(COMPARISONS[name]())
