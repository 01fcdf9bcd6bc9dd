"""Distances of features by hand, and networks without maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.foundation.errors import UserError
from sakd.systems.feed import translator

Make = Callable[..., Any]


def as_map(*channels: float) -> Tensor:
    """A sample of one position."""
    return torch.tensor(channels, dtype=torch.float64).view(1, -1, 1, 1)


def test_the_distances_by_hand(small_system: Make) -> None:
    student, teachers = as_map(3, 4, 0), [as_map(0, 1, 0), as_map(1, 0, 0)]
    found = [small_system("feed").distance(student, teacher) for teacher in teachers]
    assert [float(each) for each in found] == pytest.approx([0.6 + 0.2, 0.4 + 0.8])
    means = small_system("feed", by_position=True)
    assert float(means.distance(student, teachers[0])) == pytest.approx(0.8 / 3)


def test_a_sample_is_scaled_as_a_whole_or_at_every_position(small_system: Make) -> None:
    student = torch.tensor([[[[3.0, 0.0]], [[0.0, 4.0]]]], dtype=torch.float64)  # (1, 2, 1, 2)
    teacher = torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]]]], dtype=torch.float64)
    whole, places = small_system("feed"), small_system("feed", by_position=True)
    half = 0.5**0.5
    assert float(whole.distance(student, teacher)) == pytest.approx(half - 0.6 + 0.8 - half)
    assert float(places.distance(student, teacher)) == 0


def test_the_larger_map_is_averaged_and_nothing_has_no_gradient(small_system: Make) -> None:
    large = torch.zeros(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    loss = small_system("feed", by_position=True).distance(large, torch.ones(2, 3, 2, 2))
    (gradient,) = torch.autograd.grad(loss, large)
    assert loss.item() == pytest.approx(3**-0.5)
    assert not gradient.any()


@pytest.mark.parametrize(
    ("shapes", "match"),
    [
        (((8,), (8, 2, 2)), r"feed .* the student has \(8,\)"),
        (((8, 2, 2), (5, 8)), r"feed .* the teacher has \(5, 8\)"),
    ],
)
def test_features_that_are_no_maps_are_refused(
    shapes: tuple[tuple[int, ...], tuple[int, ...]], match: str
) -> None:
    with pytest.raises(UserError, match=match):
        translator(*shapes)
