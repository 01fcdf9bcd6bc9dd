"""Running means keep their place in memory, also where terms come and go."""

from __future__ import annotations

import pytest
import torch

from sakd.foundation.errors import UserError
from sakd.training.means import Means


def add(means: Means, size: int, step: int = 1, **terms: float) -> None:
    means.add({name: torch.tensor(value) for name, value in terms.items()}, size)
    means.count(size, tuple(terms), step)


def test_means_are_weighted_and_start_again_in_the_same_memory() -> None:
    means = Means()
    add(means, 3, a=1.0, b=0.5)
    place = means._sums["a", "b"]
    add(means, 1, a=5.0, b=0.5)
    assert means.take(1) == {"a": 2.0, "b": 0.5}
    means.clear()
    add(means, 2, a=7.0, b=0.0)
    assert means.take(2) == {"a": 7.0, "b": 0.0}
    assert means._sums["a", "b"] is place


def test_the_mean_of_a_term_is_over_the_steps_that_have_it() -> None:
    means = Means()
    add(means, 4, a=1.0)
    add(means, 2, a=4.0, b=8.0)
    assert means.take(1) == {"a": 2.0, "b": 8.0}
    means.clear()
    add(means, 2, a=3.0)
    assert means.take(2) == {"a": 3.0}, "a term of an earlier epoch alone"


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_the_first_term_that_is_not_finite_is_named_with_its_step(
    value: str, *, resumed: bool
) -> None:
    """Later others follow: they are consequences."""
    means = Means()
    add(means, 1, step=1, a=1.0)
    add(means, 1, step=2, a=1.0, b=1.0)
    add(means, 1, step=4, a=1.0, b=float(value))
    if resumed:
        state, means = means.state(), Means()
        means.restore(state, torch.device("cpu"))
    add(means, 1, step=5, a=float("nan"))
    add(means, 1, step=6, a=1.0, b=1.0)
    with pytest.raises(UserError, match=rf"b is {value} in epoch 3, from step 4 on.*learning rate"):
        means.take(3)
    means.clear()
    add(means, 1, a=1.0, b=2.0)
    assert means.take(4) == {"a": 1.0, "b": 2.0}


def test_sums_of_finite_terms_may_overflow_together() -> None:
    means = Means()
    add(means, 2, step=1, a=3e38)
    with pytest.raises(UserError, match="a is inf in epoch 1, from step 1 on"):
        means.take(1)


def test_without_terms_there_are_no_means() -> None:
    means = Means()
    add(means, 4)
    means.clear()
    assert means.take(1) == {}
