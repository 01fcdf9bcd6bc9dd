"""Running means of the terms of a loss."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from sakd.foundation.errors import UserError

Names = tuple[str, ...]


class Means:
    """Running means of terms over an epoch, weighted by batch size; one sync at the end.

    Steps may differ in their terms; the mean of a term is over the steps that have it. The sums
    keep their place in memory.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._sums: dict[Names, Tensor] = {}
        self._counts: Counter[Names] = Counter()

    def clear(self) -> None:
        """Start again."""
        self._counts.clear()
        for sums in self._sums.values():
            sums.zero_()

    def add(self, terms: Mapping[str, Tensor], size: int) -> None:
        """Add the scalars of a batch of ``size`` samples, which are not counted here."""
        if not terms:
            return
        new = torch.stack(list(terms.values())) * size
        names = tuple(terms)
        if names not in self._sums:
            self._sums[names] = torch.zeros_like(new)
        self._sums[names] += new

    def count(self, size: int, names: Names) -> None:
        """Count the ``size`` samples of a batch whose terms have these ``names``."""
        self._counts[names] += size

    def state(self) -> list[tuple[list[str], Tensor, int]]:
        """Give names, sums and the number of samples, in the order of their appearance."""
        return [(list(names), sums, self._counts[names]) for names, sums in self._sums.items()]

    def restore(self, state: Iterable[tuple[list[str], Tensor, int]], device: torch.device) -> None:
        """Go on from the result of `state`, on ``device``."""
        for names, sums, count in state:
            self._sums[tuple(names)] = sums.to(device, copy=True)
            self._counts[tuple(names)] = count

    def take(self, epoch: int) -> dict[str, float]:
        """Give the means of the terms that some step had, in the order of their appearance.

        Raises:
            UserError: A mean is not finite.
        """
        present = [names for names in self._sums if self._counts[names]]
        sums = torch.cat([self._sums[names] for names in present]).tolist() if present else []
        totals: dict[str, float] = {}
        counts: Counter[str] = Counter()
        flat = ((name, self._counts[names]) for names in present for name in names)
        for (name, count), total in zip(flat, sums, strict=True):
            totals[name] = totals.get(name, 0.0) + total
            counts[name] += count
        means = {name: total / counts[name] for name, total in totals.items()}
        for name, value in means.items():
            if not math.isfinite(value):
                raise UserError(f"{name} is {value} in epoch {epoch}: lower the learning rate")
        return means
