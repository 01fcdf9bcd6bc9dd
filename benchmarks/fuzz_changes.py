"""Changes to valid files: what changes their bytes, and what all changes are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

Draw = np.random.Generator
Files = Mapping[str, bytes]
"""The content of files, by their paths."""

Change = Callable[[Files, Draw], dict[str, bytes]]
"""Gives the files that differ; the others stay as they are."""

Spoil = Callable[[bytes, Draw], bytes]
"""Gives other content for a file."""

SIZES = (1, 2, 4, 8, 64, 64, 4096)
"""Lengths of pieces, in bytes."""

OTHERS = (b"", bytes(100), b"[]", b"null", b"{}", b'""', b"PK\x05\x06" + bytes(18), b"PAR1PAR1")
"""What has nothing to do with a file, and stands in its place."""


def one_of(draw: Draw, every: Sequence[T]) -> T:
    """Take one of several, all as often."""
    return every[draw.integers(len(every))]


def often(draw: Draw, share: float) -> bool:
    """Say whether what happens in this ``share`` of the cases happens now."""
    return bool(draw.random() < share)


def times(draw: Draw) -> int:
    """Say how often something is changed: once as a rule."""
    return one_of(draw, (1, 1, 1, 2, 3))


def of_one(*spoils: Spoil, ending: str = "") -> Change:
    """Spoil one of the files with this ``ending``."""

    def change(files: Files, draw: Draw) -> dict[str, bytes]:
        name = one_of(draw, sorted(name for name in files if name.endswith(ending)))
        return {name: one_of(draw, spoils)(files[name], draw)}

    return change


def flip(content: bytes, draw: Draw) -> bytes:
    """Flip one to eight bits."""
    spoilt = bytearray(content)
    for _ in range(draw.integers(1, 9) if content else 0):
        spoilt[draw.integers(len(spoilt))] ^= 1 << int(draw.integers(8))
    return bytes(spoilt)


def cut(content: bytes, draw: Draw) -> bytes:
    """Cut off the end."""
    return content[: _place(content, draw)]


def behead(content: bytes, draw: Draw) -> bytes:
    """Cut off the beginning."""
    return content[_place(content, draw) :]


def insert(content: bytes, draw: Draw) -> bytes:
    """Insert a piece."""
    at = _place(content, draw)
    return content[:at] + _piece(content, draw) + content[at:]


def delete(content: bytes, draw: Draw) -> bytes:
    """Delete a piece."""
    at = _place(content, draw)
    return content[:at] + content[at + one_of(draw, SIZES) :]


def overwrite(content: bytes, draw: Draw) -> bytes:
    """Put a piece over another."""
    at, piece = _place(content, draw), _piece(content, draw)
    return content[:at] + piece + content[at + len(piece) :]


def replace(_content: bytes, draw: Draw) -> bytes:
    """Put something of another kind in the place of all."""
    return one_of(draw, OTHERS)


def _place(content: bytes, draw: Draw) -> int:
    return int(draw.integers(len(content) + 1))


def _piece(content: bytes, draw: Draw) -> bytes:
    """Give zeros, ones, noise, or a piece of the content itself."""
    size, start = one_of(draw, SIZES), _place(content, draw)
    return one_of(draw, (bytes(size), b"\xff" * size, draw.bytes(size), content[start:][:size]))


BYTES: tuple[Spoil, ...] = (flip, flip, cut, cut, behead, insert, delete, overwrite, replace)
"""Damage of any content."""


def damage(content: bytes, draw: Draw) -> bytes:
    """Damage bytes, in one way as a rule."""
    for _ in range(times(draw)):
        content = one_of(draw, BYTES)(content, draw)
    return content
