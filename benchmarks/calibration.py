"""Rates at which intervals are wrong, on simulated studies of the shape of the default study.

For each shape and number of seeds: how often a 95 % interval excludes a difference of zero that is
the truth (its false positives, nominally 5 %), and how often it covers a true difference (its
coverage, nominally 95 %). Next to the intervals of this project are those that were tried and
not taken. With --own-images every seed has test images of its own, as in the default study, and
the intervals of this project stand alone.

    python benchmarks/calibration.py --studies 4000
    python benchmarks/calibration.py --studies 4000 --own-images
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sakd.evidence import components
from sakd.evidence.simulation import Study

Array = NDArray[np.float64]
Interval = tuple[Array, Array]

SHAPES = {
    "seeds agree as images let them": {},
    "seeds differ a little": {"seed": 0.2},
    "seeds differ": {"seed": 0.4},
    "seeds differ much": {"seed": 1.0},
    "images differ": {"image": 1.0},
    "both differ": {"seed": 0.4, "image": 1.0},
    "hardly a disagreement": {"level": 10.0},
    "four distillers, pooled": {"methods": 4, "image": 0.5},
}
RESAMPLES, BOOTSTRAPPED = 300, 400


BATCH = 500
"""Studies at a time where every seed has images of its own: those take more memory."""


def ours(differences: Array, tested: NDArray[np.bool_] | None = None) -> Interval:
    """Use the components of variance of seeds and images."""
    return components(differences, tested).estimate().interval()


def seed_means(differences: Array) -> Interval:
    """Use Student's t on the means of seeds."""
    return _student(differences.mean(axis=-1))


def image_means(differences: Array) -> Interval:
    """Use Student's t on the means of images, as if the seeds were all there are."""
    return _student(differences.mean(axis=-2))


def all_tests(differences: Array) -> Interval:
    """Use Student's t on all (seed, image), as if they were independent."""
    return _student(differences.reshape(len(differences), -1))


def satterthwaite(differences: Array) -> Interval:
    """Use the same components, none below zero, with Satterthwaite's degrees as they are."""
    found = components(differences)
    seeds, images = differences.shape[-2:]
    rest = found.rest / (seeds * images)
    of_seeds = np.maximum(found.unit, 0) / seeds + rest
    of_images = np.maximum(found.image, 0) / images + rest
    variance = of_seeds + of_images - rest
    spread = of_seeds**2 / (seeds - 1) + of_images**2 / (images - 1)
    half = stdtrit(variance**2 / np.maximum(spread, 1e-30), 0.975) * np.sqrt(variance)
    return found.mean - half, found.mean + half


def bootstrap(differences: Array) -> Interval:
    """Draw seeds and images with replacement, the percentiles of the means (Owen's pigeonhole)."""
    rng = np.random.default_rng(1)
    studies, seeds, images = differences.shape
    low, high = np.full(studies, np.nan), np.full(studies, np.nan)
    for k, table in enumerate(differences[:BOOTSTRAPPED]):
        rows = rng.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES)
        columns = rng.multinomial(images, np.full(images, 1 / images), RESAMPLES)
        means = ((rows @ table) * columns).sum(axis=1) / (seeds * images)
        low[k], high[k] = np.percentile(means, [2.5, 97.5])
    return low, high


METHODS: dict[str, Callable[[Array], Interval]] = {
    each.__name__: each
    for each in (ours, seed_means, image_means, all_tests, satterthwaite, bootstrap)
}


def _student(values: Array) -> Interval:
    n = values.shape[-1]
    half = stdtrit(n - 1, 0.975) * values.std(axis=-1, ddof=1) / np.sqrt(n)
    return values.mean(axis=-1) - half, values.mean(axis=-1) + half


def covered(interval: Interval, truth: float) -> float:
    """Give the share of intervals with the truth in them."""
    low, high = (bound[np.isfinite(bound)] for bound in interval)
    return float(((low <= truth) & (truth <= high)).mean())


def main() -> None:
    """Print a line for each shape and number of seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=4000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 5, 10])
    parser.add_argument("--images", type=int, default=359)
    parser.add_argument("--own-images", action="store_true")
    options = parser.parse_args()
    if options.own_images:
        print_own_images(options)
        return
    names = "".join(f"{name:>20}" for name in METHODS)
    print("false positives % / coverage % of a true difference; nominal 5 / 95")
    print(f"{'shape':<32}{'S':>3}{'disagree %':>11}{'ratio':>6}{'true':>6}{names}")
    for shape, changes in SHAPES.items():
        for seeds in options.seeds:
            line(shape, Study(seeds, options.images, interaction=1.0), changes, options.studies)


def print_own_images(options: argparse.Namespace) -> None:
    """Print the rates of this project's intervals where every seed has images of its own."""
    print("every seed has its own images; false positives % / coverage %; nominal 5 / 95")
    for shape, changes in SHAPES.items():
        for seeds in options.seeds:
            null = replace(Study(seeds, seeds * options.images, interaction=1.0), **changes)
            tested = np.kron(np.eye(seeds, dtype=bool), np.ones((1, options.images), dtype=bool))
            rng, rates = np.random.default_rng(0), []
            for study in (null, replace(null, effect=0.7)):
                drawn = (study.draw(rng, BATCH) for _ in range(max(options.studies // BATCH, 1)))
                rates.append(np.mean([covered(ours(d, tested), study.truth) for d in drawn]))
            print(f"{shape:<32}{seeds:>3}{100 - 100 * rates[0]:>8.1f} / {100 * rates[1]:.1f}")


def line(shape: str, plain: Study, changes: dict[str, float], studies: int) -> None:
    """Simulate a shape and print the rates of every method."""
    null = replace(plain, **changes)
    truth = replace(null, effect=0.7)
    rng = np.random.default_rng(0)
    nothing, something = null.draw(rng, studies), truth.draw(rng, studies)
    found = components(nothing)
    ratio = 1 + plain.images * found.unit.mean() / found.rest.mean()
    rates = [
        f"{100 - 100 * covered(method(nothing), 0):.1f} / "
        f"{100 * covered(method(something), truth.truth):.1f}"
        for method in METHODS.values()
    ]
    disagree, true = 100 * (nothing != 0).mean(), 100 * truth.truth
    facts = f"{shape:<32}{plain.seeds:>3}{disagree:>11.2f}{ratio:>6.1f}{true:>6.2f}"
    print(facts + "".join(f"{rate:>20}" for rate in rates), flush=True)


if __name__ == "__main__":
    main()
