"""Generators that are kept from step to step, and seeded afresh for each."""

from __future__ import annotations

import torch

from sakd.foundation.randomness import generator, mix


class Draws:
    """The random draws of one run's step: those of a fresh generator for each that is asked for.

    A recorded step holds its generators, so they must outlive it. As each step asks for the same
    in the same order, the n-th generator of the first step is the n-th of every other.

    Attributes:
        seed: The seed of the present step's batch.
        everywhere: Stands in for torch's global generator, from which dropout draws.
    """

    def __init__(self, device: torch.device) -> None:
        """Keep generators on ``device``."""
        self.seed = 0
        self.everywhere = torch.Generator(device)
        self._kept: list[tuple[str, torch.Generator]] = []
        self._asked = 0

    def begin(self, seed: int) -> None:
        """Seed all that is kept for a step on the batch of this ``seed``."""
        self.seed, self._asked = seed, 0
        self.everywhere.manual_seed(seed)
        for purpose, kept in self._kept:
            kept.manual_seed(mix(seed, purpose))

    def __call__(self, purpose: str) -> torch.Generator:
        """Give the next generator of the step, see `sakd.data.Batch.draws`.

        Raises:
            RuntimeError: An earlier step drew for another purpose here.
        """
        if self._asked == len(self._kept):
            made = generator(self.seed, purpose, device=self.everywhere.device)
            self._kept.append((purpose, made))
        known, kept = self._kept[self._asked]
        if known != purpose:
            raise RuntimeError(f"steps draw at times for {known!r} and at times for {purpose!r}")
        self._asked += 1
        return kept

    @property
    def generators(self) -> tuple[torch.Generator, ...]:
        """All generators that are kept."""
        return (self.everywhere, *(kept for _, kept in self._kept))
