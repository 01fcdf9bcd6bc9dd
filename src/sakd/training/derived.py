"""Tensors that follow from others that never change, or seldom."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class Derived:
    """What follows from a tensor; it is made once, and again only after that has changed."""

    def __init__(self, make: Callable[[Tensor], Tensor]) -> None:
        """Derive it by ``make``."""
        self._make = make
        self._made: Tensor | None = None
        self._state: tuple[int, int] | None = None

    @torch.no_grad()
    def of(self, source: Tensor) -> Tensor:
        """Give what follows from ``source``: always in the same memory, which graphs may read."""
        state = source.data_ptr(), source._version
        if self._made is None or self._made.device != source.device:
            self._made = self._make(source)
        elif self._state != state:
            self._made.copy_(self._make(source))
        self._state = state
        return self._made

    @property
    def last(self) -> Tensor:
        """What `of` gave last, without a look at the source, so that it can be compiled."""
        if self._made is None:
            raise RuntimeError("nothing has been derived yet")
        return self._made
