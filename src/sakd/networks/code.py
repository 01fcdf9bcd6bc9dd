"""The code behind a network's name, as part of content keys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from sakd.foundation.fingerprint import code_of, files_of
from sakd.foundation.imports import imported, named
from sakd.networks.build import REBUILDINGS
from sakd.networks.ensemble import Ensemble, names_of
from sakd.networks.outside.libraries import SOURCES
from sakd.networks.outside.names import OutsideName, is_outside, parse_name
from sakd.networks.zoo.table import NETWORKS, zoo_builder


def network_code(name: str) -> dict[str, str]:
    """Identify the code of the network called ``name``.

    Returns:
        For a model of torchvision or timm the library and its version; for any other the modules
        and their hashes, see `sakd.foundation.fingerprint.code_of`. For a rebuilt student and for
        several networks those of all, and of what joins them.

    Raises:
        UserError: There is no such network.
    """
    if name in NETWORKS:
        return dict(_zoo_code(name))
    if len(members := names_of(name)) > 1:
        return code_of(Ensemble) | {k: v for one in members for k, v in network_code(one).items()}
    for rebuilding in REBUILDINGS:
        if (parts := rebuilding.parts(name)) is not None:
            return code_of(rebuilding.make) | network_code(parts[0]) | network_code(parts[1])
    if not is_outside(name):
        builder = zoo_builder(name)
        return code_of(builder, *getattr(builder, "args", ()))  # one with branches builds others
    parsed = parse_name(name)
    if library := _library(parsed):
        return {library: version(library).partition("+")[0]}
    return code_of(*_parts(parsed))


@cache
def _zoo_code(name: str) -> Mapping[str, str]:
    return code_of(NETWORKS[name])


def network_files(name: str) -> tuple[Path, ...]:
    """List the files with the code of a user's own network; none for zoo and libraries.

    Raises:
        UserError: There is no such network.
    """
    if not is_outside(name) or _library(parsed := parse_name(name)):
        return ()
    return files_of(*_parts(parsed))


def _library(name: OutsideName) -> str | None:
    package = name.source.partition(".")[0]
    return package if package in SOURCES else None


def _parts(name: OutsideName) -> tuple[object, ...]:
    """The module that is named, and the function, which may come from another."""
    return imported(name.source), named(name.source, name.item)
