"""Mean and standard deviation of few measurements, by hand."""

from __future__ import annotations

import math

import pytest

from sakd.reporting.tables.spread import Spread


@pytest.mark.parametrize(
    ("values", "mean", "sd", "n"),
    [
        ([0.2, 0.4], 0.3, 0.02**0.5, 2),
        ([0.2, 0.4, 0.9], 0.5, 0.13**0.5, 3),
        ([math.nan, 0.2, math.nan, 0.4], 0.3, 0.02**0.5, 2),
        ([0.2, math.nan], 0.2, math.nan, 1),
        ([math.nan], math.nan, math.nan, 0),
        ([], math.nan, math.nan, 0),
    ],
)
def test_numbers_that_are_there_are_summarised(
    values: list[float], mean: float, sd: float, n: int
) -> None:
    found = Spread.of(values)
    assert (found.mean, found.sd, found.n) == pytest.approx((mean, sd, n), nan_ok=True)
    named = {"kd_mean": mean, "kd_sd": sd, "kd_n": n}
    assert found.columns("kd_") == pytest.approx(named, nan_ok=True)
