"""Seeds for every purpose, derived from one seed of the user."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def mix(*parts: int | str) -> int:
    """Mix ``parts`` into a seed of 64 bits, 0 to 2**64 - 1.

    The seed is the big-endian 8-byte BLAKE2b digest of the parts as compact JSON, so it is
    the same on every machine, and changes with any part, their order or their number:
    ``mix(seed, epoch, step, "objective")``.
    """
    canonical = json.dumps(parts, separators=(",", ":")).encode()
    return int.from_bytes(hashlib.blake2b(canonical, digest_size=8).digest(), "big")


def generator(*parts: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """Make a generator on ``device`` that is seeded by ``mix(*parts)``."""
    return torch.Generator(device).manual_seed(mix(*parts))


@contextmanager
def seeded(*parts: int | str) -> Iterator[None]:
    """Seed torch's global random state by ``mix(*parts)``; restore the old state afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(mix(*parts))
        yield
