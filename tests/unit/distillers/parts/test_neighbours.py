"""Distillers of consecutive spots count a sample where it is chosen at both."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller
from sakd.distillers.parts.neighbours import Couples
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]
COUPLES = [name for name, kind in DISTILLERS.items() if issubclass(kind, Couples)]
SHAPES = [(3, 4, 4), (4, 2, 2), (5, 2, 2)]


@pytest.mark.parametrize("name", COUPLES)
@given(seed=st.integers(0, 1000))
def test_each_couple_takes_the_samples_chosen_at_both_of_its_spots(
    name: str, seed: int, build: Build
) -> None:
    source = torch.Generator().manual_seed(seed)
    features = [torch.randn(2, 5, *s, generator=source, dtype=torch.float64) for s in SHAPES]
    students, teachers = zip(*features, strict=True)
    chosen = torch.rand(5, 3, generator=source) < 0.6
    index = torch.arange(5)
    batch = Batch(torch.zeros(5, 1, 4, 4), index, index, 0)
    expected = 0.0
    for k in (0, 1):
        alone = build(name, SHAPES[k : k + 2], SHAPES[k : k + 2])
        both = (chosen[:, k] & chosen[:, k + 1])[:, None].expand(-1, 2)
        expected += float(alone.losses(students[k : k + 2], teachers[k : k + 2], batch, both))
    ours = build(name, SHAPES, SHAPES).losses(students, teachers, batch, chosen)
    assert float(ours) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", COUPLES)
def test_a_spot_alone_has_no_loss(name: str, build: Build) -> None:
    index = torch.arange(5)
    batch = Batch(torch.zeros(5, 1, 4, 4), index, index, 0)
    maps = torch.randn(5, *SHAPES[0], dtype=torch.float64)
    loss = build(name, SHAPES, SHAPES).loss(0, maps, -maps, batch, index >= 0)
    assert loss == 0
    assert loss.is_floating_point()


@pytest.mark.parametrize("name", COUPLES)
@pytest.mark.parametrize(
    ("student", "teacher", "complaint"),
    [
        ([(3, 4, 4), (4, 2, 2)], [(3, 4, 4), (5, 2, 2)], r"\(4, 2, 2\).* \(5, 2, 2\).*widths"),
        ([(3, 4, 4)], [(3, 4, 4)], "two or more"),
    ],
)
def test_networks_that_cannot_be_compared_are_refused(
    name: str,
    student: list[tuple[int, ...]],
    teacher: list[tuple[int, ...]],
    complaint: str,
    build: Build,
) -> None:
    with pytest.raises(UserError, match=complaint):
        build(name, student, teacher)
