"""Simulated studies follow the model that they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from sakd.evidence.simulation import Study

ALIKE = {"seed": 0.0, "image": 0.0, "interaction": 0.0}
ALWAYS = 1e6
"""An effect with which the first method is right on every image."""


def draw(studies=4, **settings):
    return Study(**{"seeds": 3, "images": 200, **ALIKE, **settings}).draw(
        np.random.default_rng(0), studies
    )


def mean(function, sd):
    """The mean of a function of a normal number."""
    return quad(lambda x: function(x) * norm.pdf(x, scale=sd), -12 * sd, 12 * sd)[0]


def test_methods_that_nothing_sets_apart_answer_alike():
    assert draw().shape == (4, 3, 200)
    assert not draw().any()
    assert not draw(methods=5).any()


def test_an_effect_helps_on_some_images_and_hurts_on_none():
    found = draw(effect=1.0)
    assert set(np.unique(found)) == {0.0, 1.0}
    assert set(np.unique(draw(effect=-1.0))) == {-1.0, 0.0}
    several = draw(effect=1.0, methods=4)
    assert np.array_equal(several, found), "all pairs of methods share difficulty and noise"


@pytest.mark.parametrize(("name", "axes"), [("seed", {2}), ("image", {1}), ("interaction", set())])
def test_a_deviation_is_the_same_wherever_it_is_shared(name, axes):
    found = draw(level=0.0, **{name: 3.0})
    assert {-1.0, 1.0} <= set(np.unique(found))
    for axis in (1, 2):
        mixed = (found.max(axis=axis) > 0) & (found.min(axis=axis) < 0)
        assert mixed.any() != (axis in axes)


def test_pairs_of_methods_deviate_by_themselves():
    found = draw(level=0.0, interaction=3.0, methods=2)
    assert set(np.unique(found)) == {-1.0, -0.5, 0.0, 0.5, 1.0}


def test_images_are_as_difficult_for_every_seed_and_the_noise_is_new():
    sd, level = 2.0, 0.5
    wrong = draw(100, level=level, difficulty=sd, effect=ALWAYS)
    twice = wrong[:, 0] * wrong[:, 1]
    assert wrong.mean() == pytest.approx(mean(lambda x: expit(-level - x), sd), abs=0.01)
    assert twice.mean() == pytest.approx(mean(lambda x: expit(-level - x) ** 2, sd), abs=0.01)


def test_the_truth_is_an_integral_over_all_deviations():
    sds = {"difficulty": 1.0, "seed": 0.5, "image": 0.7, "interaction": 0.2}
    sd = sum(value**2 for value in sds.values()) ** 0.5
    study = Study(3, level=1.0, effect=0.5, **sds)
    first, second = (mean(lambda x, level=at: expit(level + x), sd) for at in (1.5, 1.0))
    assert study.truth == pytest.approx(first - second, abs=1e-9)


def test_a_study_is_by_default_one_of_359_hard_images_and_seeds_that_differ_on_some():
    assert Study(3).draw(np.random.default_rng(0), 1).shape == (1, 3, 359)
    sd = (3.0**2 + 0.5**2) ** 0.5
    first, second = (mean(lambda x, level=at: expit(level + x), sd) for at in (8.0, 7.0))
    assert Study(3, effect=1.0).truth == pytest.approx(first - second, rel=1e-4)


def test_the_truth_of_a_simulated_study_is_its_mean():
    study = Study(3, seed=0.5, image=0.5, effect=1.0)
    drawn = study.draw(np.random.default_rng(0), 3000)
    assert drawn.mean() == pytest.approx(study.truth, rel=0.03)
