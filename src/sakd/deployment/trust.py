"""The names of networks that may be taken from a file."""

from __future__ import annotations

from collections.abc import Iterator

from sakd.foundation.errors import require
from sakd.networks.build import REBUILDINGS
from sakd.networks.outside.libraries import SOURCES
from sakd.networks.outside.names import is_outside, parse_name

FETCHING = frozenset({"weights", "pretrained", "pretrained_cfg", "checkpoint_path"})
"""Arguments by which torchvision and timm read weights from elsewhere."""


def trusted_name(said: str, given: str | None, source: object) -> str:
    """Choose the name by which a network is built.

    Names of the zoo, of torchvision and of timm are taken from files. A name that would have other
    code imported and called, or weights fetched, must be given by the caller.

    Args:
        said: The name in a file.
        given: The name that the caller gives; None for the one in the file.
        source: The file, for messages.

    Raises:
        UserError: The name in the file cannot be trusted, and none is given.
    """
    if given is not None:
        return given
    found = f"{source} is of the network {said!r}, whose code or weights are not in the file"
    remedy = "if you trust it, name it too: --network, or network= in Python"
    require(all(map(_harmless, _parts(said))), f"{found}: {remedy}")
    return said


def _parts(name: str) -> Iterator[str]:
    for rebuilding in REBUILDINGS:
        if (parts := rebuilding.parts(name)) is not None:
            for part in parts:
                yield from _parts(part)
            return
    yield name


def _harmless(name: str) -> bool:
    if not is_outside(name):
        return True
    parsed = parse_name(name)
    return parsed.source in SOURCES and not FETCHING & set(parsed.arguments)
