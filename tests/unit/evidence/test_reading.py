from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from sakd.evidence import LEVEL, Estimate, Reading, holm, of_seeds, read


def estimate(mean, error, degrees=1e6):
    return Estimate(*(np.asarray(value) for value in (mean, error, degrees)))


@pytest.mark.parametrize(
    ("mean", "error", "reading"),
    [
        (3.0, 1.0, Reading.HIGHER),
        (-3.0, 1.0, Reading.LOWER),
        (0.5, 1.0, Reading.OPEN),
        (0.5, 0.3, Reading.WITHIN),
        (-0.5, 0.3, Reading.WITHIN),
        (0.5, np.nan, Reading.UNKNOWN),
    ],
)
def test_a_difference_is_read_by_its_interval_and_the_margin(mean, error, reading):
    assert read(estimate(mean, error), margin=1.0) is reading


def test_after_adjustment_for_a_family_a_difference_may_be_open():
    found = estimate(2.1, 1.0)
    assert read(found, margin=1.0) is Reading.HIGHER
    assert read(found, margin=1.0, p=2 * float(found.p)) is Reading.OPEN


def test_at_the_level_itself_zero_is_in_the_interval_and_at_the_bound_the_margin_holds():
    found = estimate(2.1, 1.0)
    assert read(found, margin=1.0, p=1 - LEVEL) is Reading.OPEN
    near = estimate(0.5, 0.3)
    bound = float(near.bound)
    assert read(near, margin=bound) is Reading.WITHIN
    assert read(near, margin=np.nextafter(bound, 0)) is Reading.OPEN


@pytest.mark.parametrize("sign", [1, -1])
def test_the_bound_is_where_two_one_sided_t_tests_reject(sign):
    values = sign * np.array([0.1, 0.5, -0.2, 0.4, 0.3])
    bound = float(of_seeds(values).bound)
    tests = [ttest_1samp(values, bound, alternative="less").pvalue]
    tests += [ttest_1samp(values, -bound, alternative="greater").pvalue]
    assert max(tests) == pytest.approx(0.05)


@pytest.mark.parametrize("seeds", [2, 3])
def test_seed_means_alone_give_the_t_test(seeds):
    values = np.array([0.1, 0.5, -0.2])[:seeds]
    expected = ttest_1samp(values, 0)
    assert of_seeds(values).p == pytest.approx(expected.pvalue)
    assert of_seeds(values).interval() == pytest.approx(expected.confidence_interval())


@pytest.mark.parametrize("values", [[], [0.3], [0.1 + 0.2, 0.3, 0.3]])
def test_no_seeds_one_seed_and_seeds_that_agree_have_no_interval(values):
    assert not of_seeds(np.array(values)).known


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.04], [0.04]),
        ([0.7, 0.6], [1.0, 1.0]),
        ([np.nan, 0.02, np.nan, 0.01], [np.nan, 0.02, np.nan, 0.02]),
        ([], []),
    ],
)
def test_holm_by_hand(p, adjusted):
    assert holm(np.array(p)) == pytest.approx(adjusted, nan_ok=True)
