"""Simulated studies, by which the intervals are calibrated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit

from sakd.evidence.design import Array

_NODES = 80


@dataclass(frozen=True)
class Study:
    """Two methods, each trained with several seeds and tested on the same images.

    A network of method m and seed s is right on image i if ``level + effect (of the first method)
    + difficulty_i + seed_ms + image_mi + interaction_msi + noise_si`` is positive. All but the
    first two are independent and normal, with these standard deviations; the noise is standard
    logistic, and both methods of a seed share it, as they share teacher, start and batches.

    Attributes:
        seeds: Number of seeds, S.
        images: Number of test images, I.
        level: How good both methods are.
        difficulty: How much images differ.
        seed: How much a method differs from seed to seed.
        image: How much a method is better on some images than on others, in all seeds.
        interaction: How much it is so in one seed.
        effect: How much the first method is better.
        methods: Number of pairs of methods, such as distillers, over which differences are
            averaged; they share the difficulty and the noise.
    """

    seeds: int
    images: int = 359
    level: float = 7.0
    difficulty: float = 3.0
    seed: float = 0.0
    image: float = 0.0
    interaction: float = 0.5
    effect: float = 0.0
    methods: int = 1

    def draw(self, rng: np.random.Generator, studies: int) -> Array:
        """Draw the differences (``studies``, S, I) of right answers of the two methods."""
        shape = studies, self.seeds, self.images
        shared = self.level + rng.normal(0, self.difficulty, (studies, 1, self.images))
        shared = shared + rng.logistic(size=shape)
        found = [self._difference(rng, shared) for _ in range(self.methods)]
        difference: Array = np.mean(found, axis=0)
        return difference

    def _difference(self, rng: np.random.Generator, shared: Array) -> Array:
        first = shared + self.effect + self._own(rng, shared) > 0
        return first.astype(float) - (shared + self._own(rng, shared) > 0)

    def _own(self, rng: np.random.Generator, shared: Array) -> Array:
        studies, seeds, images = shared.shape
        shapes = {
            (studies, seeds, images): self.interaction,
            (studies, seeds, 1): self.seed,
            (studies, 1, images): self.image,
        }
        drawn = (rng.normal(0, sd, shape) for shape, sd in shapes.items() if sd)
        own: Array = sum(drawn, start=np.zeros((studies, 1, 1)))
        return own

    @property
    def truth(self) -> float:
        """The difference of the accuracies of both methods over all seeds and images."""
        return self._accuracy(self.level + self.effect) - self._accuracy(self.level)

    def _accuracy(self, level: float) -> float:
        deviations = self.difficulty, self.seed, self.image, self.interaction
        nodes, weights = hermegauss(_NODES)
        right = expit(level + np.linalg.norm(deviations) * nodes)
        return float(right @ weights / weights.sum())
