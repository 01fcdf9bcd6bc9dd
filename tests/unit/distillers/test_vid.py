"""Variational information distillation equals its formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.distillers import Distiller
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]
masks = st.lists(st.booleans(), min_size=5, max_size=5)


def regressed(layers: list[list[list[float]]], position: list[float]) -> list[float]:
    for number, rows in enumerate(layers):
        if number:
            position = [max(x, 0.0) for x in position]
        position = [math.fsum(w * x for w, x in zip(r, position, strict=True)) for r in rows]
    return position


@given(mask=masks, seed=st.integers(0, 1000))
def test_the_teachers_maps_are_as_unlikely_as_the_gaussian_says(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    vid = build("vid", [(2, 2, 2)], [(3, 2, 2)])
    gaussian = vid.gaussians[0]
    gaussian.log_scale.data += gaussian.log_scale.new_tensor([-2.0, 0.0, 1.0])
    layers = [gaussian.regressor[k].weight.flatten(1).tolist() for k in (0, 2, 4)]
    variances = [math.log1p(math.exp(x)) + 1e-5 for x in gaussian.log_scale.tolist()]

    def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
        terms = [
            0.5 * ((m - y) ** 2 / v + math.log(v))
            for s, t in zip(student[0], teacher[0], strict=True)
            for i in range(2)
            for j in range(2)
            for m, y, v in zip(
                regressed(layers, s[:, i, j].tolist()), t[:, i, j].tolist(), variances, strict=True
            )
        ]
        return math.fsum(terms) / len(terms)

    assert_by_hand(vid, by_hand, mask, seed)


def test_every_spot_has_its_own_gaussian_of_variance_five(build: Build) -> None:
    vid = build("vid", [(2, 4, 4), (3, 2, 2)], [(5, 2, 2), (6, 2, 2)])
    assert [len(gaussian.log_scale) for gaussian in vid.gaussians] == [5, 6]
    for gaussian in vid.gaussians:
        variance = gaussian.log_scale.exp().log1p() + 1e-5
        assert variance.tolist() == pytest.approx([5.0] * len(variance), rel=1e-6)


def test_a_variance_that_cannot_be_is_refused(build: Build) -> None:
    with pytest.raises(UserError, match=r"initial_variance .*above 1e-5.* 0"):
        build("vid", [(2, 4, 4)], [(2, 4, 4)], initial_variance=0.0)


def test_a_variance_may_be_large(build: Build) -> None:
    vid = build("vid", [(2, 4, 4)], [(2, 4, 4)], initial_variance=1000.0)
    assert vid.gaussians[0].log_scale.tolist() == pytest.approx([1000.0] * 2)
