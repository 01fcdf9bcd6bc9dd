from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from sakd.evidence import components, units_needed
from sakd.evidence.planning import MOST_UNITS, POWER
from sakd.evidence.simulation import Study

IMAGES = 400


def table(of_seeds, of_images=0.0):
    """Differences without interaction, whose means and variances are known."""
    images = of_images * np.tile([1, -1], IMAGES // 2)
    return np.asarray(of_seeds)[:, None] + images


def test_seeds_alone_need_the_number_of_a_power_table():
    # A t-test at 5 % has 80 % power for a mean of half a standard deviation from 34 on.
    spread = np.array([-1, 0, 1]) + 0.5
    assert units_needed(components(table(spread)), margin=0.0) == pytest.approx(34, abs=1)


@pytest.mark.parametrize(
    ("mean", "margin"), [(0.3, 0.0), (-0.3, 0.2), (0.0, 0.5), (0.1, 0.5), (-0.1, 0.5), (0.6, 2.0)]
)
def test_seeds_alone_need_the_number_that_the_t_distribution_gives(mean, margin):
    def power(seeds):
        error, of_t = seeds**-0.5, t(seeds - 1)
        different = of_t.cdf(abs(mean) / error - of_t.ppf(0.975))
        ends = (end / error - of_t.ppf(0.95) for end in (margin - mean, margin + mean))
        return max(different, sum(of_t.cdf(end) for end in ends) - 1)

    expected = next(seeds for seeds in range(3, 1000) if power(seeds) >= 0.8)
    spread = np.array([-1, 0, 1]) + mean
    assert units_needed(components(table(spread)), margin) == expected


def test_a_larger_effect_and_a_wider_margin_need_fewer_seeds():
    found = [components(table(np.array([-1, 0, 1]) + mean)) for mean in (0.3, 0.6, 1.2)]
    needed = [units_needed(each, margin=0.0) for each in found]
    assert sorted(needed, reverse=True) == needed
    nothing = components(table([-1, 0, 1]))
    assert units_needed(nothing, margin=0.0) is None
    assert units_needed(nothing, margin=1.0) < units_needed(nothing, margin=0.5)


def test_where_no_test_disagrees_the_tests_are_what_counts():
    # N tests have an error of 2 / N; the power takes 1.645 + 1.282 of it on either side.
    margin = 2 * (1.645 + 1.282) / (IMAGES * 10.5)
    assert units_needed(components(table([0, 0, 0])), margin) == 11


def test_the_plan_ends_at_the_most_seeds():
    too_small, mean = 0.0, 1.0
    for _ in range(30):
        half = (too_small + mean) / 2
        if units_needed(components(table(np.array([-1, 0, 1]) + half)), margin=0.0) is None:
            too_small = half
        else:
            mean = half
    assert units_needed(components(table(np.array([-1, 0, 1]) + mean)), margin=0.0) == 1000


def test_more_seeds_do_not_help_where_the_images_are_too_few():
    mean, noise = 0.1, 1.0
    assert mean < 1.96 * noise / np.sqrt(IMAGES) * 1.4
    assert units_needed(components(table([mean] * 3, noise)), margin=0.0) is None
    assert units_needed(components(table([3 * mean] * 3, noise)), margin=0.0) == 3


def test_a_study_of_the_planned_size_settles_it_as_often_as_planned():
    study = Study(60, 200, interaction=1.0, seed=0.6, effect=0.7)
    rng = np.random.default_rng(0)
    needed = units_needed(components(study.draw(rng, 1)[0]), margin=0.0)
    planned = Study(needed, 200, interaction=1.0, seed=0.6, effect=0.7).draw(rng, 400)
    assert 3 < needed < MOST_UNITS
    assert np.mean(components(planned).estimate().p < 0.05) == pytest.approx(POWER, abs=0.12)
