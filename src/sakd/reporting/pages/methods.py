"""The section on methods and policies, in the words of their classes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pandas as pd

from sakd.distillers import DISTILLERS, Distiller
from sakd.foundation.docstrings import first_sentence
from sakd.reporting.pages.sections import Facts, Section
from sakd.reporting.tables.frames import distilled, policies_in
from sakd.reporting.tables.kinds import distiller_kinds, policy_kind, system_kind
from sakd.routing import POLICIES
from sakd.systems import SYSTEMS

_CODE = re.compile(r"`+([^`]+)`+")
_ALONE = "It is trained by its own loss alone, and left out of pooled lines."
_PHASED = "It is trained in phases, without KD, and left out of pooled lines."
_REBUILT = (
    "Before training its student is rebuilt with its teacher: another network than the students "
    "of other distillers."
)


def methods_section(cells: pd.DataFrame) -> list[Section]:
    """Describe every distiller, system and policy of the results; no section if none is known."""
    facts = (*_distillers(cells), *_systems(cells), *_policies(cells))
    return [Section("Methods", (Facts(facts),), folded=True)] if facts else []


def _distillers(cells: pd.DataFrame) -> Iterator[tuple[str, str]]:
    methods = distilled(cells)["distiller"].unique()
    kinds = {name: kind for method in methods for name, kind in distiller_kinds(method).items()}
    for name, kind in kinds.items():
        yield name, _described(kind)


def _systems(cells: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for name in distilled(cells)["distiller"].unique():
        if kind := system_kind(name):
            yield name, _words(kind, SYSTEMS)


def _described(kind: type[Distiller]) -> str:
    sentences = [_words(kind, DISTILLERS)]
    if kind.stands_alone:
        divided = kind.phases is not Distiller.phases
        sentences.append(_PHASED if divided else _ALONE)
    if kind.rebuilding:
        sentences.append(_REBUILT)
    return " ".join(sentences)


def _policies(cells: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for name in policies_in(cells):
        if kind := policy_kind(name):
            yield name, _words(kind, POLICIES)


def _words(kind: type, table: Mapping[str, type]) -> str:
    """Give the first sentence of a docstring, with names of the table in place of classes."""
    names = {each.__name__: name for name, each in table.items()}
    return _CODE.sub(lambda code: names.get(code[1], code[1]), first_sentence(kind))
