"""Measures of answers by themselves: likelihood, calibration, the five most likely classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from sakd.measures.predictions import Predictions

BINS = 15
"""Bins of equal width in which confidence and accuracy are compared."""

TOP = 5
"""As many of the most likely classes are looked at where there are more classes."""

LIMITS = 0.01, 100.0
"""The lowest and the highest temperature."""

PRECISION = 1e-9
"""The relative error of a temperature."""


def quality(answers: Predictions, temperature: float) -> dict[str, float]:
    """Measure ``answers``, and their calibration at a ``temperature`` that other images gave too.

    Returns:
        ``nll``, the mean negative log-likelihood of the labels, in nats; ``ece``, the expected
        calibration error, a fraction; ``ece_scaled``, the same of logits divided by the
        temperature; and ``top5``, the share of images whose label is among the five most likely
        classes, where there are more than five.
    """
    found = {"nll": nll(answers), "ece": calibration_error(answers)}
    if answers.logits.shape[1] > TOP:
        five = answers.logits.topk(TOP, dim=1).indices
        found["top5"] = float((five == answers.labels[:, None]).any(dim=1).double().mean())
    scaled = replace(answers, logits=answers.logits.double() / temperature)
    return found | {"ece_scaled": calibration_error(scaled)}


def nll(answers: Predictions) -> float:
    """Compute the mean negative log-likelihood of the labels, in nats."""
    return -float(answers.log_probability.mean())


def calibration_error(answers: Predictions) -> float:
    """Compute the expected calibration error (Guo et al., arXiv:1706.04599, equation 3).

    Images are sorted into `BINS` by the probability of their most likely class. The error is the
    difference between that probability and accuracy, averaged over each bin; its size is averaged
    over the bins, which weigh as many as they have images. NaN if a logit is not finite.
    """
    if not answers.logits.isfinite().all():
        return math.nan
    confidence = answers.logits.double().softmax(dim=1).amax(dim=1)
    bins = (confidence * BINS).ceil().long().clamp(1, BINS) - 1
    excess: Tensor = (answers.right.double() - confidence) / len(answers.labels)
    return float(bins.bincount(excess, minlength=BINS).abs().sum())


def best_temperature(answers: Predictions) -> float:
    """Find the temperature by which logits are divided so that the nll of ``answers`` is least.

    The nll is convex in the inverse of the temperature, so its slope has one root at most. Where it
    has none within `LIMITS`, the nearer limit is the best: for a network that is right on every
    image, the lowest. NaN if a logit is not finite.
    """
    logits = answers.logits.double()
    if not logits.isfinite().all():
        return math.nan
    own = logits.gather(1, answers.labels[:, None]).mean()

    def slope(inverse: float) -> tuple[float, float]:
        """Differentiate the nll by the inverse of the temperature, once and twice."""
        chances = (logits * inverse).softmax(dim=1)
        mean = (chances * logits).sum(dim=1)
        variance = (chances * logits**2).sum(dim=1) - mean**2
        return float(mean.mean() - own), float(variance.mean())

    lowest, highest = LIMITS
    if slope(1 / lowest)[0] <= 0:
        return lowest
    if slope(1 / highest)[0] >= 0:
        return highest
    return 1 / _root(slope, 1 / highest, 1 / lowest)


def _root(slope: Callable[[float], tuple[float, float]], low: float, high: float) -> float:
    """Find where ``slope`` is zero by Newton's steps; one that leads astray halves the interval.

    Args:
        slope: A value that increases, and its derivative.
        low: Where it is negative, above 0.
        high: Where it is positive.
    """
    place = math.sqrt(low * high)
    while high / low > 1 + PRECISION:
        value, derivative = slope(place)
        low, high = (low, place) if value > 0 else (place, high)
        step = place - value / derivative if derivative > 0 else low
        before, place = place, step if low < step < high else math.sqrt(low * high)
        if abs(place - before) <= PRECISION * place:
            break
    return place
