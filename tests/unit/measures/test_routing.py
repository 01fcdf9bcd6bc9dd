"""Measures of routing, against cases by hand, scipy and coins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from sakd.measures.routing import (
    EVERY,
    Array,
    Spot,
    entropy,
    extremes,
    merged,
    rank_correlation,
    routing_rows,
    selectivity,
)

EPOCHS = 30


def spot_of(masks: Array, name: str = "stage1") -> Spot:
    """Sum the decisions (E, N) of every epoch up, each image once an epoch."""
    shares = masks.mean(axis=1)
    seen = np.full(masks.shape[1], len(masks))
    return Spot(name, masks.mean(axis=0), seen, shares, float(shares[-1]))


def values(rows: pd.DataFrame, measure: str, by: str = "") -> list[float]:
    return rows[(rows["measure"] == measure) & (rows["by"] == by)]["value"].tolist()


@pytest.mark.parametrize(
    ("share", "bits"), [(0, 0), (1, 0), (0.5, 1), (0.25, 0.811278), (0.75, 0.811278)]
)
def test_entropy_is_highest_where_half_distil(share: float, bits: float) -> None:
    assert entropy(share) == pytest.approx(bits, abs=1e-6)


def test_a_policy_that_always_opens_chooses_nothing() -> None:
    spot = spot_of(np.ones((EPOCHS, 20)))
    hard = pd.DataFrame({"image": np.arange(20), "alone": np.arange(20.0), "student": 0.0})
    rows = routing_rows([spot], np.arange(20) % 2, hard, weighs=False)
    for by in ("alone", "student"):  # images that are as hard as each other come by their number
        parts = rows[(rows["measure"] == "part") & (rows["by"] == by)]
        assert parts["group"].tolist() == list(range(1, 11))
        assert parts["images"].tolist() == [2] * 10
    assert values(rows, "rate") == values(rows, "last") == [1.0]
    assert values(rows, "entropy") == [0.0]
    assert np.isnan(values(rows, "selectivity")).all()
    assert np.isnan(values(rows, "correlation", "alone")).all()
    assert values(rows, "class") == [1.0, 1.0]
    assert values(rows, "part", "alone") == [1.0] * 10
    assert extremes(spot, 3) == {}


def test_coins_are_as_selective_as_chance_whatever_their_rates_do() -> None:
    source = np.random.default_rng(1)
    rates = np.linspace(1, 0.1, EPOCHS)[:, None]
    found = [selectivity(spot_of((source.random((EPOCHS, 500)) < rates) * 1.0)) for _ in range(20)]
    assert np.mean(found) == pytest.approx(1, abs=0.03)


def test_selectivity_is_that_of_the_images_that_were_decided_on() -> None:
    """Rates of deviation 0.4 where coins would have 0.5 x sqrt((1 + 1/3) / 2)."""
    rate, seen = np.array([1.0, np.nan, 0.2]), np.array([1, 0, 3])
    found = selectivity(Spot("logits", rate, seen, np.array([0.5, 0.5]), 0.5))
    assert found == pytest.approx(0.4 / (0.25 * 2 / 3) ** 0.5)


def test_the_same_images_in_every_epoch_are_the_most_selective() -> None:
    same = np.tile(np.arange(100) < 50, (EPOCHS, 1)) * 1.0
    assert selectivity(spot_of(same)) == pytest.approx(EPOCHS**0.5)


def test_the_correlation_is_that_of_ranks_also_of_equal_values() -> None:
    source = np.random.default_rng(2)
    rate = source.integers(0, 5, 200) / 5
    hard = np.exp(3 * rate + source.normal(size=200))
    assert rank_correlation(rate, hard) == pytest.approx(spearmanr(rate, hard).statistic)
    assert rank_correlation(rate, -hard) == pytest.approx(-spearmanr(rate, hard).statistic)
    assert rank_correlation(np.arange(5.0), np.exp(np.arange(5.0))) == pytest.approx(1)
    assert np.isnan(rank_correlation(np.arange(5.0), np.ones(5)))


def test_rates_are_given_by_class_and_by_difficulty() -> None:
    """The hard half distils, of two classes; the last image was never decided on."""
    rate = np.array([0.0] * 10 + [1.0] * 10 + [np.nan])
    seen = np.array([4] * 18 + [1, 1, 0])
    spot = Spot("logits", rate, seen, np.full(4, 0.5), 0.5)
    labels = np.array([0] * 5 + [1] * 15 + [0])
    image = np.array([0, 2, 4, 6, 8, 10, 12, 14, 18, 20])  # of a part of the images alone
    hard = pd.DataFrame({"image": image, "teacher": image * 0.1, "disagreement": -image * 1.0})
    rows = routing_rows([spot], labels, hard, weighs=False)
    assert values(rows, "rate") == [0.5]
    assert rows[rows["measure"] == "rate"][["group", "images"]].to_numpy().tolist() == [[0, 20]]
    classes = rows[rows["measure"] == "class"]
    assert classes[["group", "images"]].to_numpy().tolist() == [[0, 5], [1, 15]]
    assert classes["value"].tolist() == [0.0, pytest.approx(2 / 3)]
    correlations = rows[rows["measure"] == "correlation"]
    assert correlations[["group", "images"]].to_numpy().tolist() == [[0, 9], [0, 9]]
    (one,) = values(rows, "correlation", "teacher")
    assert one == pytest.approx(spearmanr(rate[image[:9]], image[:9]).statistic)
    assert values(rows, "correlation", "disagreement") == [pytest.approx(-one)]
    assert values(rows, "part", "teacher") == [0.0] * 5 + [1.0] * 4
    assert not values(rows, "correlation", "alone")


def test_of_images_that_were_not_decided_on_no_difficulty_is_compared() -> None:
    spot = Spot("logits", np.array([0.5, np.nan]), np.array([2, 0]), np.array([0.5]), 0.5)
    hard = pd.DataFrame({"image": [1], "student": [1.0]})
    rows = routing_rows([spot], np.zeros(2, dtype=int), hard, weighs=True)
    assert np.isnan(values(rows, "correlation", "student")).all()
    assert not values(rows, "part", "student")


def test_weights_have_neither_entropy_nor_chance() -> None:
    spot = Spot("logits", np.array([0.5, 1.5]), np.array([2, 2]), np.ones(2), 0.8)
    hard = pd.DataFrame({"image": [0, 1], "student": [1.0, 2.0]})
    rows = routing_rows([spot], np.zeros(2, dtype=int), hard, weighs=True)
    assert set(rows["measure"]) == {"rate", "last", "class", "correlation", "part"}
    assert values(rows, "last") == [0.8]
    assert values(rows, "correlation", "student") == [pytest.approx(1)]


def test_every_spot_has_its_lines() -> None:
    spot = spot_of(np.eye(4)[:3])
    hard = pd.DataFrame({"image": [0, 3], "student": [1.0, 2.0]})
    labels = np.arange(4) % 2
    rows = routing_rows([spot, spot._replace(name="logits")], labels, hard, weighs=False)
    first, second = (own.drop(columns="spot") for _, own in rows.groupby("spot", sort=False))
    assert rows["spot"].unique().tolist() == ["stage1", "logits"]
    assert first.equals(second.reset_index(drop=True))


def test_spots_with_the_same_decisions_are_one() -> None:
    source = np.random.default_rng(3)
    masks = (source.random((4, 6)) < 0.5) * 1.0
    masks[:, 2] = np.nan  # an image without a decision
    alike = [spot_of(masks, name) for name in ("stage1", "logits")]
    assert [spot.name for spot in merged(alike)] == [EVERY]
    other = spot_of(1 - masks, "stage2")
    assert [spot.name for spot in merged([*alike, other])] == ["stage1", "logits", "stage2"]
    assert merged(alike[:1]) == alike[:1]


def test_the_images_of_the_highest_and_the_lowest_rates_are_found() -> None:
    rate = np.array([0.5, 0.9, np.nan, 0.1, 0.9, 0.0])
    spot = Spot("logits", rate, np.array([1, 1, 0, 1, 1, 1]), np.array([0.5]), 0.5)
    found = {end: index.tolist() for end, index in extremes(spot, 3).items()}
    assert found == {"most": [1, 4, 0], "least": [5, 3, 0]}
    assert (
        sorted(extremes(spot, 6)["most"]) == sorted(extremes(spot, 6)["least"]) == [0, 1, 3, 4, 5]
    )


def test_of_equal_rates_the_first_image_is_found() -> None:
    spot = spot_of(np.tile(np.arange(100) % 2, (EPOCHS, 1)) * 1.0)
    found = {end: index.tolist() for end, index in extremes(spot, 4).items()}
    assert found == {"most": [1, 3, 5, 7], "least": [0, 2, 4, 6]}
