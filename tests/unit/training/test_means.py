"""Running means keep their place in memory, and insist on the same terms."""

from __future__ import annotations

import pytest
import torch

from sakd.training.means import Means


def test_means_are_weighted_and_start_again_in_the_same_memory() -> None:
    means = Means()
    means.add({"a": torch.tensor(1.0), "b": torch.tensor(0.5)}, 3)
    means.count += 3
    place = means._sums
    means.add({"a": torch.tensor(5.0), "b": torch.tensor(0.5)}, 1)
    means.count += 1
    assert means.take(1) == {"a": 2.0, "b": 0.5}
    means.clear()
    means.add({"a": torch.tensor(7.0), "b": torch.tensor(0.0)}, 2)
    means.count += 2
    assert means.take(2) == {"a": 7.0, "b": 0.0}
    assert means._sums is place


def test_terms_that_change_from_step_to_step_are_refused() -> None:
    means = Means()
    means.add({"a": torch.tensor(1.0)}, 1)
    with pytest.raises(ValueError, match=r"\('a',\).*\('b',\)"):
        means.add({"b": torch.tensor(1.0)}, 1)


def test_without_terms_there_are_no_means() -> None:
    means = Means()
    means.add({}, 4)
    means.clear()
    assert means.take(1) == {}
