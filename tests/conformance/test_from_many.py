"""Systems of several teachers equal published code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from conformance.comparison import Comparison
from conformance.systems.many import (
    compare_confident_features,
    compare_features,
    compare_hint,
    compare_mixture,
    compare_weighting,
)

SOLVED = 1e-5  # a support vector machine found the authors' weights, to its own tolerance
COMPARISONS: dict[str, Callable[[], Comparison]] = {
    "average": partial(compare_weighting, "average", "AVERAGE_LOSS"),
    "ebkd": partial(compare_weighting, "ebkd", "EBKD"),
    "camkd": partial(compare_weighting, "camkd", "CAMKD"),
    "camkd features": compare_confident_features,
    "aekd": partial(compare_weighting, "aekd", "AEKD", SOLVED),
    "feed": compare_features,
    "amtml hint_train": partial(compare_mixture, "hint_train", related=False, learning=True),
    "amtml learning_train": partial(compare_mixture, "learning_train", related=True, learning=True),
    "amtml learning_eval": partial(compare_mixture, "learning_eval", related=True, learning=False),
    "amtml hint": compare_hint,
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_loss_and_gradients_equal_published_code(
    name: str, equal: Callable[[Comparison], None]
) -> None:
    equal(COMPARISONS[name]())
