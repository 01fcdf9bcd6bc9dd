"""Notice draws from the generators of the host, which a device cannot repeat."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def drawn_on_host(device: torch.device) -> Iterator[list[str]]:
    """Give a list that says afterwards what was drawn, within the context, not on ``device``."""
    drawn: list[str] = []
    before, python = _state(), random.getstate()
    yield drawn
    if device.type != "cpu" and before != _state():
        drawn.append("random numbers are drawn on the host, by torch")
    if python != random.getstate():
        drawn.append("random numbers are drawn on the host, by Python's random")


def _state() -> bytes:
    return bytes(torch.get_rng_state().numpy())  # to compare tensors would be an operation
