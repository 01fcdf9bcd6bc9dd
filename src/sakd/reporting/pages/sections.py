"""The parts a report is made of, before anyone decides on Markdown or HTML."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Terms and what they mean or are."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Tabular:
    """A table of strings under a caption; the first columns hold names, the others numbers."""

    caption: str
    frame: pd.DataFrame
    names: int = 1
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """A figure with its caption; ``name`` is unique in the report."""

    name: str
    caption: str
    figure: go.Figure


@dataclass(frozen=True)
class Warnings:
    """What the reader must know first."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Highlight:
    """One headline number."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Highlights:
    """The headline numbers."""

    items: tuple[Highlight, ...]


Block = Text | Facts | Tabular | Chart | Warnings | Highlights


CHAPTER, PART = 2, 3
"""Heading levels of a chapter and of a part of one."""


@dataclass(frozen=True)
class Section:
    """A titled run of blocks: a chapter, or a part of the one before it."""

    title: str
    blocks: tuple[Block, ...]
    level: int = CHAPTER


@dataclass(frozen=True)
class Report:
    """A whole report: title, one line under it, sections."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
