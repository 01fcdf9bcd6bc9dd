"""What there is to choose from, as tables of text."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from functools import partial

import torch

from sakd.data import DATASETS
from sakd.data.sources.table import dataset_options
from sakd.distillers import DISTILLERS
from sakd.foundation.docstrings import first_sentence
from sakd.foundation.tables import Table
from sakd.networks import NETWORKS, NetworkBuilder
from sakd.routing import POLICIES

Rows = list[tuple[str, ...]]
"""The first one is the head."""

_SOURCE = re.compile(
    r"(?:^|\. )((?:et al\.|[^.])+?\b(?:19|20)\d\d\b"
    r"(?:, (?:arXiv:\d{4}\.\d{4,5}|doi:[\w./]+\w|\"[^\"]+\"))?)"
)


def distillers() -> Rows:
    """Name, where it looks, published weight and gamma, options with their defaults, paper."""
    rows: Rows = [("name", "spots", "weight", "gamma", "options", "source")]
    for name, kind in DISTILLERS.items():
        numbers = f"{kind.weight:g}", f"{kind.gamma:g}"
        rows.append((name, kind.family.value, *numbers, options(kind), source(kind)))
    return rows


def networks() -> Rows:
    """Name, family, stages, parameters (for 10 classes of colour images), paper."""
    rows: Rows = [("name", "family", "stages", "parameters", "source")]
    for name, builder in NETWORKS.items():
        with torch.device("meta"):
            network = builder(num_classes=10)
        count = sum(parameter.numel() for parameter in network.parameters())
        stages = " ".join(network.stage_names)
        rows.append((name, network.family, stages, f"{count:,}", _network_source(builder)))
    return rows


def policies() -> Rows:
    """Name, whether it is trained, options with their defaults, what it does."""
    rows: Rows = [("name", "trained", "options", "what", "source")]
    for name, kind in POLICIES.items():
        trained = "yes" if kind.trained else "no"
        rows.append((name, trained, options(kind), first_sentence(kind), source(kind)))
    return rows


def datasets() -> Rows:
    """Name, the forms in which it is read, options with their defaults, what it is."""
    rows: Rows = [("name", "sources", "options", "what", "source")]
    for name, kind in DATASETS.items():
        given = ", ".join(f"{each}={value}" for each, value in dataset_options(kind).items())
        sources = ", ".join(kind.sources)
        rows.append((name, sources, given or "-", first_sentence(kind), source(kind)))
    return rows


LISTINGS: Table[Callable[[], Rows]] = Table(
    "list",
    {
        "distillers": distillers,
        "networks": networks,
        "policies": policies,
        "datasets": datasets,
    },
)


def source(item: object) -> str:
    """The paper that a docstring names: authors, venue, year, and where to find it."""
    found = _SOURCE.search(" ".join((inspect.getdoc(item) or "").split()))
    return found[1] if found else "-"


def options(kind: type[object]) -> str:
    """The constructor's keyword arguments with their defaults."""
    parameters = inspect.signature(kind).parameters.values()
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    return ", ".join(f"{p.name}={p.default}" for p in keywords) or "-"


def _network_source(builder: NetworkBuilder) -> str:
    function = builder.func if isinstance(builder, partial) else builder
    named = source(function)
    return named if named != "-" else source(inspect.getmodule(function))


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """``rows`` as lines with columns of equal width; the last column is as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)
