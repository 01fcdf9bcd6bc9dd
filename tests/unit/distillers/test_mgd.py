"""Matching guided distillation equals its formula; the channels that it matches are alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.distillers import Distiller, Epoch
from sakd.distillers.mgd import largest_by_magnitude
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]
STUDENT, TEACHER = [(2, 2, 2), (2, 2, 2)], [(4, 2, 2), (5, 2, 2)]
GROUPS = [[[3, 0], [1, 2]], [[4, 2], [0, 3]]]
MARGINS = [[-0.5, -0.25, -1.0, -2.0], [-0.1, -0.2, -0.3, -0.4, -0.5]]


class Fixed(nn.Module):
    """Gives margins (C, 1, 1)."""

    def __init__(self, margins: list[float]) -> None:
        super().__init__()
        self.margins = torch.tensor(margins, dtype=torch.float64)[:, None, None]

    def forward(self, _: Tensor) -> Tensor:
        return self.margins


def with_groups(mgd: Distiller, groups: list[list[list[int]]]) -> Distiller:
    """Give groups and margins, and leave the batch norms out."""
    for k, some in enumerate(groups):
        mgd.groups[k].theirs.copy_(torch.tensor(some))
        mgd.margins[k], mgd.norms[k] = Fixed(MARGINS[k]), nn.Identity()
    return mgd


def by_hand(magnitude: bool, student: list[Tensor], teacher: list[Tensor]) -> float:
    total = 0.0
    for k, groups in enumerate(GROUPS):
        ours, theirs = student[k].flatten(2).tolist(), teacher[k].flatten(2).tolist()
        for s, t in zip(ours, theirs, strict=True):
            for channel, (a, b) in enumerate(groups):
                for place, value in enumerate(s[channel]):
                    pair, margins = (t[a][place], t[b][place]), (MARGINS[k][a], MARGINS[k][b])
                    wanted = max(*pair, *margins)
                    if magnitude:
                        wanted = max(max(pair, key=abs), math.fsum(margins) / 2)
                    if value > wanted or wanted > 0:
                        total += (value - wanted) ** 2 / (2 if k == 0 else 1)
    return total / len(student[0])


@pytest.mark.parametrize("magnitude", [True, False])
@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_a_channel_learns_what_stands_for_its_group(
    magnitude: bool, mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    mgd = with_groups(build("mgd", STUDENT, TEACHER, magnitude=magnitude), GROUPS)
    assert_by_hand(mgd, lambda s, t: by_hand(magnitude, s, t), mask, seed)


def test_of_two_values_of_one_magnitude_the_positive_one_stands_for_the_group() -> None:
    several = torch.tensor([[-2.0, 2.0], [-3.0, 2.0], [1.0, -1.0]]).view(1, 3, 2)
    assert largest_by_magnitude(several).flatten().tolist() == [2.0, -3.0, 1.0]


def epoch(number: int, *batches: tuple[Tensor, Tensor]) -> Epoch:
    """Show maps of a single spot."""
    return Epoch(number, 9, lambda: iter([([s], [t]) for s, t in batches]))


def spoilt(maps: Tensor, noise: float) -> Tensor:
    return 3 * maps + noise * torch.randn_like(maps)


def groups_of(mgd: Distiller) -> dict[int, list[int]]:
    (groups,) = mgd.groups
    return dict(zip(groups.ours.tolist(), groups.theirs.tolist(), strict=True))


def test_channels_that_are_alike_are_matched_and_the_worst_are_left_out(build: Build) -> None:
    copies = [2, 0, 1, 0, 2, 1]
    maps = torch.randn(30, 3, 4, 4).double()
    theirs = spoilt(maps[:, copies], 0.5)
    theirs = torch.cat([torch.randn(30, 1, 4, 4).double(), theirs], dim=1)
    mgd = build("mgd", [(3, 4, 4)], [(7, 4, 4)])
    mgd.begin_epoch(epoch(0, *zip(maps.split(8), theirs.split(8), strict=True)))
    assert groups_of(mgd) == {0: [2, 4], 1: [3, 6], 2: [1, 5]}
    sparse = build("mgd", [(3, 4, 4)], [(7, 4, 4)], sparse=True)
    best = torch.cat([theirs[:, :5], maps[:, 1:2], theirs[:, 6:]], dim=1)
    sparse.begin_epoch(epoch(0, (maps, best)))
    assert groups_of(sparse)[1] == [5]
    assert [len(group) for group in groups_of(sparse).values()] == [1, 1, 1]


def test_a_wider_student_learns_with_the_channels_that_have_a_match(build: Build) -> None:
    maps = torch.randn(10, 4, 4, 4).double()
    mgd = build("mgd", [(4, 4, 4)], [(2, 4, 4)])
    mgd.begin_epoch(epoch(0, (maps, spoilt(maps[:, [3, 1]], 0.1))))
    assert groups_of(mgd) == {1: [1], 3: [0]}
    student = maps.clone().requires_grad_()
    loss = mgd.loss(0, student, maps[:, [3, 1]] + 1, None, torch.ones(10, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(loss, student)
    assert gradient.abs().amax(dim=(0, 2, 3)).bool().tolist() == [False, True, False, True]


def test_maps_of_unequal_size_are_averaged_before_they_are_matched(build: Build) -> None:
    maps = torch.randn(10, 2, 4, 4).double()
    small = maps.unflatten(3, (2, 2)).unflatten(2, (2, 2)).mean(dim=(3, 5))
    mgd = build("mgd", [(2, 4, 4)], [(2, 2, 2)])
    mgd.begin_epoch(epoch(0, (maps, small.flip(1))))
    assert groups_of(mgd) == {0: [1], 1: [0]}


@pytest.mark.parametrize(("images", "batches"), [(16, 2), (17, 3)])
def test_channels_are_matched_every_few_epochs_by_as_many_images_as_are_enough(
    images: int, batches: int, build: Build
) -> None:
    mgd = build("mgd", [(3, 4, 4)], [(6, 4, 4)], every=3, images=images)
    (groups,) = mgd.groups
    places = groups.ours.data_ptr(), groups.theirs.data_ptr()
    shown: list[int] = []

    def features(number: int) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
        for _ in range(4):
            shown.append(number)
            yield [torch.randn(8, 3, 4, 4).double()], [torch.randn(8, 6, 4, 4).double()]

    for number in range(7):
        before = groups_of(mgd)
        mgd.begin_epoch(Epoch(number, 7, lambda number=number: features(number)))
        assert (groups_of(mgd) != before) == (number in (0, 3, 6))
    assert shown == [number for number in (0, 3, 6) for _ in range(batches)]
    assert (groups.ours.data_ptr(), groups.theirs.data_ptr()) == places


def test_maps_that_are_not_finite_do_not_end_a_matching(build: Build) -> None:
    maps = torch.randn(10, 2, 4, 4).double()
    mgd = build("mgd", [(2, 4, 4)], [(2, 4, 4)])
    mgd.begin_epoch(epoch(0, (maps / 0, maps)))
    assert sorted(groups_of(mgd).values()) == [[0], [1]]


@pytest.mark.parametrize("option", ["every", "images"])
def test_numbers_must_be_positive(option: str, build: Build) -> None:
    with pytest.raises(UserError, match=rf"{option} must be above 0, got 0"):
        build("mgd", STUDENT, TEACHER, **{option: 0})
