"""Accuracy and cost in one number: values by hand, and what must hold for any curve."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakd.evidence.compression import (
    Bound,
    Curve,
    bd_cost,
    distillation_metric,
    equal_cost,
    hypervolume,
    netscore,
    recovered,
)

ALONE = ((12.5e6, 0.60), (26.7e6, 0.66), (40.8e6, 0.70))
METHOD = ((12.5e6, 0.63), (26.7e6, 0.68), (40.8e6, 0.71))

costs = st.lists(st.floats(1.0, 1e9), min_size=2, max_size=6, unique=True)


@st.composite
def points(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Draw networks that are the better the more they cost."""
    xs = sorted(draw(costs))
    steps = draw(st.lists(st.floats(0.01, 0.1), min_size=len(xs), max_size=len(xs)))
    return [(x, 0.1 + sum(steps[: k + 1])) for k, x in enumerate(xs)]


def test_a_curve_has_the_best_network_of_a_cost_and_none_that_a_cheaper_one_matches() -> None:
    curve = Curve.of([(10.0, 0.5), (10.0, 0.6), (40.0, 0.65), (20.0, 0.7), (30.0, 0.7)])
    assert curve.accuracies.tolist() == [0.6, 0.7]
    assert curve.log_costs == pytest.approx([math.log(10), math.log(20)])


def test_equal_cost_by_hand() -> None:
    found = equal_cost(0.63, 12.5e6, Curve.of(ALONE))
    assert found is not None
    assert (found.value, found.bound) == (pytest.approx(1.4615, abs=5e-5), Bound.NONE)


@pytest.mark.parametrize(("accuracy", "bound"), [(0.71, Bound.MORE), (0.59, Bound.LESS)])
def test_beyond_the_curve_equal_cost_is_a_bound(accuracy: float, bound: Bound) -> None:
    found = equal_cost(accuracy, 20e6, Curve.of(ALONE))
    reached = 40.8 if bound is Bound.MORE else 12.5
    assert found == (pytest.approx(reached / 20), bound)


def test_one_student_alone_is_no_curve_and_neither_is_none() -> None:
    nobody = Curve.of([])
    assert equal_cost(0.63, 12.5e6, nobody) is None
    assert math.isnan(bd_cost(nobody, Curve.of(ALONE)))
    assert math.isnan(bd_cost(Curve.of(METHOD), nobody))
    assert equal_cost(0.63, 12.5e6, Curve.of(ALONE[:1])) is None
    worse = Curve.of([ALONE[0], (50e6, 0.55)])
    assert equal_cost(0.63, 12.5e6, worse) is None, "the larger one is no better"


def test_bd_cost_by_hand() -> None:
    assert bd_cost(Curve.of(METHOD), Curve.of(ALONE)) == pytest.approx(-0.2370, abs=5e-5)


def test_curves_that_share_no_accuracy_cannot_be_compared() -> None:
    better = Curve.of([(10.0, 0.8), (20.0, 0.9)])
    assert math.isnan(bd_cost(better, Curve.of(ALONE)))
    touching = Curve.of([(10.0, 0.70), (20.0, 0.9)])
    assert math.isnan(bd_cost(touching, Curve.of(ALONE))), "they share a single one"


@given(points())
def test_a_method_that_does_nothing_costs_the_same(found: list[tuple[float, float]]) -> None:
    curve = Curve.of(found)
    assert bd_cost(curve, curve) == pytest.approx(0, abs=1e-9)
    for cost, accuracy in found:
        ratio = equal_cost(accuracy, cost, curve)
        assert ratio == (pytest.approx(1), Bound.NONE)


@given(points(), st.floats(1.1, 10))
def test_the_same_accuracies_at_a_part_of_the_cost(
    found: list[tuple[float, float]], factor: float
) -> None:
    cheaper = Curve.of([(cost / factor, accuracy) for cost, accuracy in found])
    assert bd_cost(cheaper, Curve.of(found)) == pytest.approx(1 / factor - 1)


def test_hypervolume_by_hand() -> None:
    areas = [hypervolume(each, teacher_cost=100e6, classes=100) for each in (ALONE, METHOD)]
    assert areas == pytest.approx([0.582806, 0.600270], abs=5e-7)
    dominated = hypervolume([*ALONE, (50e6, 0.5)], teacher_cost=100e6, classes=100)
    assert dominated == pytest.approx(areas[0])


def test_what_costs_more_than_the_teacher_or_guesses_has_no_volume() -> None:
    useless = [(200e6, 0.9), (1e6, 0.01)]
    assert hypervolume(useless, teacher_cost=100e6, classes=100) == 0
    both = hypervolume([*ALONE, *useless], teacher_cost=100e6, classes=100)
    assert both == hypervolume(ALONE, teacher_cost=100e6, classes=100)


def test_measures_for_comparison_with_others_by_hand() -> None:
    assert netscore(0.66, 83_892, 12_507_392) == pytest.approx(72.5729, abs=5e-5)
    assert netscore(0.75, 275_572, 40.8e6) == pytest.approx(64.4935, abs=5e-5)
    assert netscore(0.0, 1e6, 1e6) == -math.inf
    assert distillation_metric(0.66, 83_892, 0.75, 275_572) == pytest.approx(0.212214, abs=5e-7)
    assert recovered(0.66, 0.60, 0.75) == pytest.approx(0.4)
    assert math.isnan(recovered(0.66, 0.60, 0.609))
    assert recovered(0.606, 0.60, 0.615) == pytest.approx(0.4)
    assert recovered(0.625, 0.5, 0.75, least=0.25) == 0.5
