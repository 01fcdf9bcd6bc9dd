"""Tensors that follow from others that never change, or seldom."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

State = tuple[tuple[int, int] | None, ...]
"""Which memory tensors have, and how often they were written to."""


def state_of(*tensors: Tensor | None) -> State:
    """Give what differs once any of ``tensors`` has changed."""
    return tuple(None if one is None else (one.data_ptr(), one._version) for one in tensors)


class Derived:
    """What follows from a tensor; it is made once, and again only after that has changed."""

    def __init__(self, make: Callable[[Tensor], Tensor]) -> None:
        """Derive it by ``make``."""
        self._make = make
        self._made: Tensor | None = None
        self._state: State = ()

    @torch.no_grad()
    def of(self, source: Tensor) -> Tensor:
        """Give what follows from ``source``: always in the same memory, which graphs may read."""
        state = state_of(source)
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
