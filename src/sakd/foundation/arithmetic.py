"""Losses in full precision, amid networks under automatic casts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_OUTSIDE: ContextVar[torch.dtype | None] = ContextVar("_OUTSIDE", default=None)


def arithmetic_of(device: torch.device) -> torch.autocast:
    """Give a context that brings the present automatic casts on ``device`` back, or their lack."""
    return _casts(device, _present(device))


@contextmanager
def without_casts(device: torch.device) -> Iterator[None]:
    """Compute on ``device`` without automatic casts within; see `as_networks` for exceptions."""
    token = _OUTSIDE.set(_present(device) or _OUTSIDE.get())
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        _OUTSIDE.reset(token)


def as_networks(layers: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply ``layers`` to ``x`` with the casts outside of `without_casts`, in the type of ``x``.

    Where casts are not switched off, or were off before, ``layers`` are applied as they are.
    """
    outside = _OUTSIDE.get()
    if outside is None or _present(x.device):
        return layers(x)
    with _casts(x.device, outside):
        return layers(x).to(x.dtype)


def _present(device: torch.device) -> torch.dtype | None:
    kind = device.type
    enabled = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
    return torch.get_autocast_dtype(kind) if enabled else None


def _casts(device: torch.device, kind: torch.dtype | None) -> torch.autocast:
    # Without a cache: it may hold weights that were cast where gradients were off.
    return torch.autocast(device.type, kind, enabled=kind is not None, cache_enabled=False)
