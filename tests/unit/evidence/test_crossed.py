from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from sakd.evidence import Components, components
from sakd.evidence.design import Design
from sakd.evidence.simulation import Study

SEEDS, IMAGES = 4, 60


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def assert_is_the_t_test(differences, values):
    found, expected = components(differences).estimate(), ttest_1samp(values, 0)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.interval() == pytest.approx(expected.confidence_interval())


def test_seeds_that_differ_alike_on_all_images_give_the_t_test_of_seeds(rng):
    of_seeds = rng.normal(size=SEEDS)
    assert_is_the_t_test(np.tile(of_seeds[:, None], IMAGES), of_seeds)


def test_seeds_that_agree_on_every_image_give_the_t_test_of_images(rng):
    of_images = rng.normal(size=IMAGES)
    assert_is_the_t_test(np.tile(of_images, (SEEDS, 1)), of_images)


def test_the_components_are_those_of_the_analysis_of_variance(rng):
    values = rng.normal(size=(SEEDS, IMAGES))
    residual = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    rest = (residual**2).sum() / ((SEEDS - 1) * (IMAGES - 1))
    found = components(values)
    assert found.rest == pytest.approx(rest)
    assert found.unit == pytest.approx(values.mean(1).var(ddof=1) - rest / IMAGES)
    assert found.image == pytest.approx(values.mean(0).var(ddof=1) - rest / SEEDS)


@pytest.mark.parametrize(
    ("shape", "unit", "image", "rest"),
    [
        ((5, 50), 0.005, 0.3, 0.5),
        ((2, 40), 0.02, 0.3, 0.5),
        ((5, 50), -0.001, 0.3, 0.5),
        ((5, 50), 0.005, -0.001, 0.5),
        ((5, 50), 0.1, 0.3, -0.2),
        ((3, 1), 0.1, 0.2, 0.1),
        ((3, 2), 0.3, 0.1, 0.0),
    ],
)
def test_error_and_degrees_of_freedom_by_hand(shape, unit, image, rest):
    seeds, images = shape
    tests = seeds * images
    of_rest, of_images = rest / tests, image / images + rest / tests
    variance = of_images + max(unit / seeds, 0)
    square = max(unit / seeds + of_rest, 0) ** 4 - (seeds - 2) / 2 * max(of_rest, 0) ** 4
    spread = max(square, 0) ** 0.5 / (seeds - 1) + of_images**2 / max(images - 1, 1)
    found = Components(
        *map(np.asarray, (0.1, unit, image, rest, 0.0)), Design.of(np.ones(shape, dtype=bool))
    ).estimate()
    assert found.error == pytest.approx(variance**0.5)
    assert found.degrees == pytest.approx(min(max(variance**2 / spread, seeds - 1), tests - 1))


@pytest.mark.parametrize("shape", [(2, 1), (3, 1), (3, 359)])
def test_where_hardly_a_test_disagrees_the_degrees_are_those_of_all_tests(shape):
    found = components(np.zeros(shape)).estimate()
    seeds, images = shape
    assert found.degrees == seeds * images - 1
    assert found.error == pytest.approx(2 / (seeds * images))


def test_seeds_whose_means_agree_have_an_interval_of_the_width_of_image_noise(rng):
    row = rng.permutation([1.0] * 3 + [-1.0] * 4 + [0.0] * 352)
    shuffled = np.stack([rng.permutation(row) for _ in range(3)])
    low, high = components(shuffled).estimate().interval()
    assert shuffled.mean(axis=1) == pytest.approx(row.mean())
    assert high - low == pytest.approx(2 * 1.96 * row.std() / np.sqrt(3 * 359), rel=0.15)


@pytest.mark.parametrize("seeds", [3, 10])
def test_where_nothing_disagrees_the_bound_is_the_rule_of_three(seeds):
    found = components(np.zeros((seeds, 359))).estimate()
    assert found.bound == pytest.approx(3 / (seeds * 359), rel=0.1)


def test_the_least_variance_is_that_of_four_disagreeing_images_or_tests():
    alike, cancelling, uneven, nothing = tables = np.zeros((4, 5, 50))
    alike[:, 7] = 1
    cancelling[:2, 7] = 1, -1
    uneven[:, 7] = uneven[0, 8] = 1
    expected = np.array([5**2, 1, (5**2 + 1) / 2, 1]) * 4 / 250**2
    assert components(tables).fewest == pytest.approx(expected)
    assert [float(components(one).fewest) for one in tables] == pytest.approx(expected)
    assert not nothing.any()


def test_differences_that_cancel_on_one_image_still_leave_doubt():
    values = np.zeros((3, 359))
    values[:2, 7] = 1, -1
    low, high = components(values).estimate().interval()
    assert high - low > 2 / (3 * 359)


@pytest.mark.parametrize("images", [1, 359])
def test_one_seed_says_nothing_of_new_seeds(images):
    with np.errstate(all="raise"):
        found = components(np.ones((1, images))).estimate()
    assert found.mean == 1
    assert not found.known


def test_what_was_not_tested_has_no_influence(rng):
    values, tested = rng.normal(size=(SEEDS, IMAGES)), rng.random((SEEDS, IMAGES)) < 0.5
    found = [components(np.where(tested, values, other), tested) for other in (0, 99)]
    first, second = (each.estimate() for each in found)
    assert first.mean == second.mean == pytest.approx(values[tested].mean())
    assert first.error == second.error


@pytest.mark.parametrize("axis", [0, 1])
def test_a_seed_or_an_image_that_was_not_tested_at_all_does_not_count(rng, axis):
    values, tested = rng.normal(size=(SEEDS, IMAGES)), rng.random((SEEDS, IMAGES)) < 0.5
    empty = [(0, int(each == axis)) for each in range(2)]
    found = components(np.pad(values, empty), np.pad(tested, empty))
    expected = components(values, tested)
    for name in ("unit", "image", "rest", "fewest"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name))
    assert found.estimate().degrees == pytest.approx(expected.estimate().degrees)


def test_components_of_seeds_with_test_images_of_their_own_are_unbiased(rng):
    tested = np.stack([rng.permutation(90) < 30 for _ in range(6)])
    unit, image, rest = (
        rng.normal(size=shape) for shape in [(900, 6, 1), (900, 1, 90), (900, 6, 90)]
    )
    found = components(2 * unit + 3 * image + rest, tested)
    expected = {"unit": 4.0, "image": 9.0, "rest": 1.0}
    for name, variance in expected.items():
        assert getattr(found, name).mean() == pytest.approx(variance, rel=0.1)


def test_whatever_was_tested_on_what_each_component_is_expected_to_be_itself():
    tested = np.array(
        [[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 0], [1, 0, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0]], dtype=bool
    )
    units, images = tested.shape
    # The components are sums of squares, so over independent effects their expectations add up.
    effects = {
        "unit": np.tile(np.eye(units)[:, :, None], images),
        "image": np.tile(np.eye(images)[:, None], (units, 1)),
        "rest": np.eye(units * images).reshape(-1, units, images),
    }
    for kind, alone in effects.items():
        found = components(alone + 5, tested)
        expected = {name: float(getattr(found, name).sum()) for name in effects}
        assert expected == pytest.approx(dict.fromkeys(effects, 0.0) | {kind: 1.0})


@pytest.mark.parametrize("scale", [1e-3, 100])
def test_differences_in_other_units_are_as_sure(rng, scale):
    values = rng.normal(size=(SEEDS, IMAGES)) + rng.normal(size=IMAGES)
    found, scaled = (components(each).estimate() for each in (values, scale * values))
    assert scaled.degrees == pytest.approx(found.degrees)
    assert scaled.p == pytest.approx(found.p)
    assert scaled.bound == pytest.approx(scale * found.bound)


def test_a_batch_is_its_tables_one_by_one(rng):
    batch = Study(3, 50).draw(rng, 4)
    together = components(batch).estimate()
    alone = [components(table).estimate() for table in batch]
    for name in ("mean", "error", "degrees"):
        expected = [float(getattr(one, name)) for one in alone]
        assert getattr(together, name) == pytest.approx(expected)
