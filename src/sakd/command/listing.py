"""The distillers, systems, networks, policies, objectives and datasets, as tables of text."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch

from sakd.data import DATASETS
from sakd.data.sources.table import dataset_options
from sakd.distillers import DISTILLERS, Distiller
from sakd.foundation.docstrings import first_sentence
from sakd.foundation.tables import FORM, Table
from sakd.foundation.text import printable
from sakd.networks import NETWORKS, NetworkBuilder
from sakd.networks.outside.names import FORMS
from sakd.objectives import OBJECTIVES
from sakd.routing import POLICIES, RoutingPolicy
from sakd.systems import SYSTEMS

Rows = list[tuple[str, ...]]
"""Lines of a table, the head first."""

_SOURCE = re.compile(
    r"(?:^|\. )((?:et al\.|[^.])+?\b(?:19|20)\d\d\b"
    r"(?:, (?:arXiv:\d{4}\.\d{4,5}|doi:[\w./]+\w|\"[^\"]+\"))?)"
)


def distillers() -> Rows:
    """List name, spots, needs, published weight and gamma, options with their defaults, paper."""
    rows: Rows = [("name", "spots", "needs", "weight", "gamma", "options", "source")]
    for name, kind in DISTILLERS.items():
        numbers = f"{kind.weight:g}", f"{kind.gamma:g}"
        places = kind.family.value, needs(kind)
        rows.append((name, *places, *numbers, options(kind), source(kind)))
    return rows


def systems() -> Rows:
    """List name, whom the student learns with, images, policies, options, description, paper."""
    rows: Rows = [("name", "learns with", "images", "policies", "options", "what", "source")]
    for name, kind in SYSTEMS.items():
        images = "training images" if kind.images else "-"
        several = kind.partner.several
        able = [policy for policy, one in POLICIES.items() if one.among or not several]
        policies = ", ".join(able) if kind.routable else "always"
        words = options(kind.settings), first_sentence(kind), source(kind)
        rows.append((name, kind.partner.value, images, policies, *words))
    return rows


def networks() -> Rows:
    """List name, family, stages, parameters (for 10 classes of colour images), paper."""
    rows: Rows = [("name", "family", "stages", "parameters", "source")]
    for name, builder in NETWORKS.items():
        with torch.device("meta"):
            network = builder(num_classes=10)
        count = sum(parameter.numel() for parameter in network.parameters())
        stages = " ".join(network.stage_names)
        rows.append((name, network.family, stages, f"{count:,}", _network_source(builder)))
    return rows


def policies() -> Rows:
    """List name, images that train it, what it sees and gives, options, description, paper."""
    rows: Rows = [("name", "learns from", "sees", "gives", "options", "what", "source")]
    for name, kind in POLICIES.items():
        sees = " ".join(str(sight.name).lower() for sight in kind.sees) or "-"
        gives = "weights" if kind.weighs else "choice"
        rows.append(
            (name, _lessons(kind), sees, gives, options(kind), first_sentence(kind), source(kind))
        )
    return rows


def objectives() -> Rows:
    """List name, what becomes of the teacher, options with their defaults, description, paper."""
    rows: Rows = [("name", "teacher", "options", "what", "source")]
    for name, kind in OBJECTIVES.items():
        teacher = ("learns" if kind.changes_teacher() else "frozen") if kind.distils else "-"
        rows.append((name, teacher, options(kind.settings), first_sentence(kind), source(kind)))
    return rows


def datasets() -> Rows:
    """List name, sources, options with their defaults, description, paper."""
    rows: Rows = [("name", "sources", "options", "what", "source")]
    for name, kind in DATASETS.items():
        given = ", ".join(f"{each}={value}" for each, value in dataset_options(kind).items())
        sources = ", ".join(kind.sources)
        rows.append((name, sources, given or "-", first_sentence(kind), source(kind)))
    return rows


def _lessons(kind: type[RoutingPolicy]) -> str:
    """Name the images that train a policy."""
    if not kind.trained:
        return "-"
    return "images set aside" if kind.learns_aside else "training images"


class Listing(NamedTuple):
    """A table of names, and the form of names that no table lists."""

    rows: Callable[[], Rows]
    other_names: str

    def text(self) -> str:
        """Align the table; name the other forms below it."""
        return f"{aligned(self.rows())}\nalso {self.other_names}, see docs/extending.md\n"


LISTINGS: Table[Listing] = Table(
    "list",
    {
        "distillers": Listing(distillers, FORM),
        "systems": Listing(systems, FORM),
        "networks": Listing(networks, FORMS),
        "policies": Listing(policies, FORM),
        "objectives": Listing(objectives, FORM),
        "datasets": Listing(datasets, f"torchvision:NAME or {FORM}"),
    },
)


def source(item: object) -> str:
    """Find the paper that a docstring names: authors, venue, year, and where to find it."""
    found = _SOURCE.search(" ".join((inspect.getdoc(item) or "").split()))
    return found[1] if found else "-"


def needs(kind: type[Distiller]) -> str:
    """Name what a distiller asks of features and of a policy, besides its spots."""
    asked = {
        "maps": kind.family.axes == "CHW" and not kind.any_shape,
        "equal channels": kind.equal_channels,
        "choices": not kind.weighs,
        "gradients": kind.sensitivity is not None,
        f"objective {kind.objective}": kind.objective is not None,
    }
    return ", ".join(need for need, holds in asked.items() if holds) or "-"


def options(kind: type[object]) -> str:
    """Show the constructor's keyword arguments with their defaults."""
    parameters = inspect.signature(kind).parameters.values()
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    return ", ".join(f"{p.name}={p.default}" for p in keywords) or "-"


def _network_source(builder: NetworkBuilder) -> str:
    function = builder.func if isinstance(builder, partial) else builder
    named = source(function)
    return named if named != "-" else source(inspect.getmodule(function))


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Write ``rows`` as lines with columns of equal width; the last column is not padded."""
    cells = [list(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
    return "".join(f"{line.rstrip()}\n" for line in lines)
