"""Running means of the terms of a loss."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from sakd.foundation.errors import UserError


class Means:
    """Running means of terms over an epoch, weighted by batch size; one sync at the end.

    The sums keep their place in memory.

    Attributes:
        names: The terms, the same in every step.
        count: The samples so far, which the host counts.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.names: tuple[str, ...] = ()
        self.count = 0
        self._sums: Tensor | None = None

    def clear(self) -> None:
        """Start again."""
        self.count = 0
        if self._sums is not None:
            self._sums.zero_()

    def add(self, terms: Mapping[str, Tensor], size: int) -> None:
        """Add the scalars of a batch of ``size`` samples, which are not counted here.

        Raises:
            ValueError: The terms are others than before.
        """
        if not terms:
            return
        new = torch.stack(list(terms.values())) * size
        if self._sums is None:
            self.names, self._sums = tuple(terms), torch.zeros_like(new)
        if tuple(terms) != self.names:
            raise ValueError(f"the terms were {self.names}, and are now {tuple(terms)}")
        self._sums += new

    def take(self, epoch: int) -> dict[str, float]:
        """Give the means.

        Raises:
            UserError: A mean is not finite.
        """
        sums = [] if self._sums is None else self._sums.tolist()
        means = {name: total / self.count for name, total in zip(self.names, sums, strict=True)}
        for name, value in means.items():
            if not math.isfinite(value):
                raise UserError(f"{name} is {value} in epoch {epoch}: lower the learning rate")
        return means
