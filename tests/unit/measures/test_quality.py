"""Likelihood and calibration against scalar loops and a search."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from sakd.measures import Predictions, best_temperature, fidelity, quality
from sakd.measures.quality import _root, calibration_error, nll


def answers(logits: Tensor, labels: Tensor) -> Predictions:
    return Predictions(labels, logits, logits.argmax(dim=1))


def drawn(classes: int, seed: int = 0, images: int = 200) -> Predictions:
    """Logits that are right more often than not, with too much confidence."""
    source = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (images,), generator=source)
    logits = 3 * torch.randn(images, classes, generator=source)
    logits[torch.arange(images), labels] += 3
    return answers(logits, labels)


def chances(logits: Tensor) -> list[float]:
    parts = [math.exp(float(value)) for value in logits.double()]
    return [part / sum(parts) for part in parts]


def test_the_likelihood_is_averaged_image_by_image() -> None:
    given = drawn(7)
    rows = zip(given.logits, given.labels, strict=True)
    logs = [math.log(chances(logits)[int(label)]) for logits, label in rows]
    assert quality(given, 1.0)["nll"] == pytest.approx(-sum(logs) / len(logs), rel=1e-9)


@pytest.mark.parametrize(("classes", "scale"), [(7, 1.0), (40, 0.1)])
def test_the_calibration_error_is_counted_bin_by_bin(classes: int, scale: float) -> None:
    given = drawn(classes)
    given = replace(given, logits=scale * given.logits)
    bins: dict[int, list[tuple[float, bool]]] = {}
    for logits, right in zip(given.logits, given.right, strict=True):
        top = max(chances(logits))
        place = next(k for k in range(15) if k / 15 < top <= (k + 1) / 15)
        bins.setdefault(place, []).append((top, bool(right)))
    error = 0.0
    for found in bins.values():
        confidence = sum(top for top, _ in found) / len(found)
        accuracy = sum(right for _, right in found) / len(found)
        error += len(found) / 200 * abs(confidence - accuracy)
    assert quality(given, 1.0)["ece"] == pytest.approx(error, rel=1e-9)


@pytest.mark.parametrize(("share", "error"), [(1.0, 0.0), (0.5, 0.5), (0.0, 1.0)])
def test_certain_answers_are_wrong_by_the_share_of_wrong_ones(share: float, error: float) -> None:
    labels = (torch.arange(10) >= 10 * share).long()
    logits = torch.tensor([[1000.0, 0.0]]).expand(10, 2)
    assert calibration_error(answers(logits, labels)) == pytest.approx(error, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_no_other_temperature_makes_labels_likelier(seed: int) -> None:
    given = drawn(5, seed)
    best = best_temperature(given)

    def at(temperature: float) -> float:
        return nll(replace(given, logits=given.logits.double() / temperature))

    assert best > 1
    for other in (0.1, 0.5, 0.99 * best, 1.01 * best, 1.0, 2.0, 10.0, 90.0):
        assert at(best) <= at(other)
    # Where logits were larger by a factor, so is the temperature, as far as the limits.
    for wanted in (0.0101, 0.013, 2 * best, 60.0, 99.0):
        scaled = replace(given, logits=wanted / best * given.logits.double())
        assert best_temperature(scaled) == pytest.approx(wanted, rel=1e-6)
    for beyond, limit in ((0.007, 0.01), (0.001, 0.01), (150.0, 100), (1e6, 100)):
        scaled = replace(given, logits=beyond / best * given.logits.double())
        assert best_temperature(scaled) == limit


def test_where_a_slope_has_no_derivative_the_interval_is_halved() -> None:
    assert _root(lambda place: (place - 3, 0.0), 0.5, 64.0) == pytest.approx(3)


def test_temperatures_end_at_the_limits() -> None:
    labels = torch.arange(4)
    right, wrong = torch.eye(4), 1 - torch.eye(4)
    assert best_temperature(answers(right, labels)) == 0.01
    assert best_temperature(answers(wrong, labels)) == 100


def test_only_the_error_after_scaling_depends_on_the_temperature() -> None:
    given = drawn(7)
    plain, scaled = quality(given, 1.0), quality(given, 2.0)
    assert plain["ece_scaled"] == plain["ece"]
    half = replace(given, logits=given.logits / 2)
    assert scaled["ece_scaled"] == pytest.approx(calibration_error(half), rel=1e-6)
    assert {name for name in plain if plain[name] != scaled[name]} == {"ece_scaled"}


def test_top5_is_counted_where_there_are_more_than_five_classes() -> None:
    given = drawn(7)
    rows = zip(given.logits, given.labels, strict=True)
    ranks = [sorted(map(float, logits)).index(float(logits[label])) for logits, label in rows]
    assert quality(given, 1.0)["top5"] == pytest.approx(sum(r >= 2 for r in ranks) / 200)
    assert "top5" not in quality(drawn(5), 1.0)


def test_of_logits_that_are_not_numbers_calibration_is_unknown() -> None:
    given = drawn(7)
    given.logits[3, 2] = math.nan
    temperature = best_temperature(given)
    assert math.isnan(temperature)
    found = quality(given, temperature)
    assert all(math.isnan(found[name]) for name in ("nll", "ece", "ece_scaled"))


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_of_infinite_logits_calibration_is_unknown(value: float) -> None:
    given = drawn(7)
    given.logits[3, given.labels[3] - 1] = value
    assert math.isnan(calibration_error(given))
    assert math.isnan(best_temperature(given))


def test_fidelity_is_counted_image_by_image() -> None:
    student, teacher = drawn(4, 1), drawn(4, 2)
    pairs = list(zip(teacher.logits, student.logits, strict=True))
    divergence = sum(
        p * math.log(p / q)
        for own, other in pairs
        for p, q in zip(chances(own), chances(other), strict=True)
    )
    agreement = sum(int(own.argmax() == other.argmax()) for own, other in pairs)
    found = fidelity(student, teacher)
    assert found == pytest.approx({"kl": divergence / 200, "agreement": agreement / 200}, rel=1e-9)
    assert fidelity(teacher, teacher) == {"kl": 0, "agreement": 1}
