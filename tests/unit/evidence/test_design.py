"""Counts of what was measured on what, for other numbers of units as if they were counted."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from sakd.evidence.design import Design


def on_the_same_images(units):
    return np.ones((units, 40), dtype=bool)


def on_images_of_their_own(units):
    return np.kron(np.eye(units, dtype=bool), np.ones(30, dtype=bool))


@pytest.mark.parametrize(
    ("tested", "units"),
    [(on_the_same_images, 2), (on_the_same_images, 7), (on_images_of_their_own, 7)],
)
def test_other_numbers_of_units_have_the_design_that_is_counted(tested, units):
    expected = Design.of(tested(units))
    found = Design.of(tested(3)).with_units(np.asarray(float(units)))
    assert list(map(float, astuple(found))) == pytest.approx(list(map(float, astuple(expected))))


def test_counts_by_hand():
    tested = np.array([[1, 1, 0, 0], [0, 1, 1, 0]], dtype=bool)
    units, images, tests, unit_share, image_share, overlap = astuple(Design.of(tested))
    assert (units, images, tests) == (2, 3, 4)
    assert unit_share == (2**2 + 2**2) / 4**2
    assert image_share == (1 + 2**2 + 1) / 4**2
    assert overlap == 2 * 1 / (2 * 2 * 2)
