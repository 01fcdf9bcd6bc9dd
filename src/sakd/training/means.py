"""Running means of the terms of a loss."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter

import torch
from torch import Tensor

from sakd.foundation.errors import UserError, require
from sakd.foundation.options import require_type

Names = tuple[str, ...]


class NotFiniteError(UserError):
    """A term of the loss is no longer finite."""


class Means:
    """Running means of terms over an epoch, weighted by batch size; one sync at the end.

    Steps may differ in their terms; the mean of a term is over the steps that have it. The sums,
    and the numbers of steps after which they were finite, keep their places in memory.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._sums: dict[Names, Tensor] = {}
        self._finite: dict[Names, Tensor] = {}
        self._counts: Counter[Names] = Counter()
        self._steps: defaultdict[Names, list[int]] = defaultdict(list)

    def clear(self) -> None:
        """Start again."""
        self._counts.clear()
        self._steps.clear()
        for kept in (*self._sums.values(), *self._finite.values()):
            kept.zero_()

    def add(self, terms: Mapping[str, Tensor], size: int) -> None:
        """Add the scalars of a batch of ``size`` samples, which are not counted here."""
        if not terms:
            return
        new = torch.stack(list(terms.values())) * size
        names = tuple(terms)
        if names not in self._sums:
            self._sums[names] = torch.zeros_like(new)
            self._finite[names] = torch.zeros_like(new, dtype=torch.int32)
        self._sums[names] += new
        self._finite[names] += self._sums[names].isfinite()

    def count(self, size: int, names: Names, step: int) -> None:
        """Count the ``size`` samples of the batch of ``step``, whose terms have these ``names``."""
        self._counts[names] += size
        self._steps[names].append(step)

    def state(self) -> list[tuple[list[str], Tensor, Tensor, int, list[int]]]:
        """Give names, sums, steps and the number of samples, in the order of their appearance."""
        return [
            (list(n), sums, self._finite[n], self._counts[n], list(self._steps[n]))
            for n, sums in self._sums.items()
        ]

    def restore(
        self,
        state: Iterable[tuple[list[str], Tensor, Tensor, int, list[int]]],
        device: torch.device,
    ) -> None:
        """Go on from the result of `state`, on ``device``.

        Raises:
            UserError: Names, sums and counts do not belong together.
        """
        for given, sums, finite, count, steps in state:
            names = tuple(given)
            require_type("names", names, tuple[str, ...])
            require_type("steps", steps, tuple[int, ...])
            fine = sums.is_floating_point() and finite.dtype == torch.int32
            fine &= sums.shape == finite.shape == (len(names),)
            require(fine, f"the sums of {', '.join(names)} are of another form")
            fine = type(count) is int and count >= len(steps) == len({*steps})
            require(fine, f"{count} images in steps {steps}")
            self._sums[names] = sums.to(device, copy=True)
            self._finite[names] = finite.to(device, copy=True)
            self._counts[names] = count
            self._steps[names] = list(steps)

    def take(self, epoch: int) -> dict[str, float]:
        """Give the means of the terms that some step had, in the order of their appearance.

        Raises:
            NotFiniteError: A mean is not finite.
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
        if not all(map(math.isfinite, means.values())):
            step, name = min(self._ends(present), key=itemgetter(0))
            raise NotFiniteError(
                f"{name} is {means[name]} in epoch {epoch}, from step {step} on: lower the "
                "learning rate, or the weight of this term"
            )
        return means

    def _ends(self, present: Iterable[Names]) -> Iterator[tuple[int, str]]:
        """Yield the first steps after which sums were not finite, with the names of their terms."""
        for names in present:
            steps = self._steps[names]
            for name, finite in zip(names, self._finite[names].tolist(), strict=True):
                if finite < len(steps):
                    yield steps[finite], name
