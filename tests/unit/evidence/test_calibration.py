"""Intervals are as often wrong as they say, on simulated studies of the default study's shape."""

from __future__ import annotations

import numpy as np
import pytest

from sakd.evidence import components
from sakd.evidence.simulation import Study

STUDIES = 1000
NOISE = 2 * np.sqrt(0.05 * 0.95 / STUDIES)
LOW, HIGH = 0.03 - NOISE, 0.07 + NOISE
"""Two standard errors of the simulation around 3 to 7 %."""

SHAPES = {
    "images alone": {},
    "seeds": {"seed": 0.4},
    "images": {"image": 1.0},
    "both": {"seed": 0.4, "image": 1.0},
}


def missed(study, tested=None):
    """The share of intervals without the truth; of those that are all above zero, and all below."""
    rng = np.random.default_rng(0)
    found = components(study.draw(rng, STUDIES), tested).estimate()
    low, high = found.interval()
    return np.mean((study.truth < low) | (high < study.truth)), found


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_difference_that_is_not_there_is_found_in_3_to_7_percent(shape, seeds):
    rate, found = missed(Study(seeds, interaction=1.0, **SHAPES[shape]))
    assert LOW <= rate <= HIGH
    assert np.mean(found.p < 0.05) == pytest.approx(rate, abs=1e-9)


@pytest.mark.parametrize("seeds", [3, 10])
def test_a_difference_that_is_there_is_covered_in_93_to_97_percent(seeds):
    rate, _ = missed(Study(seeds, interaction=1.0, **SHAPES["both"], effect=0.7))
    assert LOW <= rate <= HIGH


def test_distillers_that_share_seeds_and_images_are_pooled_as_one():
    rate, _ = missed(Study(5, interaction=1.0, **SHAPES["both"], methods=4))
    assert LOW <= rate <= HIGH


def test_seeds_with_test_images_of_their_own_are_calibrated_too():
    rng = np.random.default_rng(1)
    tested = np.stack([rng.permutation(900) < 180 for _ in range(5)])
    rate, _ = missed(Study(5, 900, interaction=1.0, **SHAPES["both"]), tested)
    assert LOW <= rate <= HIGH


def test_equivalence_is_claimed_in_at_most_7_percent_where_it_is_just_not_true():
    study = Study(5, interaction=1.0, seed=0.2, effect=0.7)
    _, found = missed(study)
    assert 0.02 - NOISE <= np.mean(found.bound < study.truth) <= HIGH
