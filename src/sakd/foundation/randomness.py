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


def reseed(seed: int, device: torch.device) -> None:
    """Seed torch's global generators of the CPU and of ``device``, and no others.

    `torch.manual_seed` asks every kind of device, and where one has not been used yet keeps the
    request, with a trace of the stack: too slow for each step of a training.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


@contextmanager
def seeded(*parts: int | str) -> Iterator[None]:
    """Seed torch's global random state by ``mix(*parts)``; restore the old state afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(mix(*parts))
        yield
