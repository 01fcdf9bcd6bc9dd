"""The parts of a report, in Markdown and HTML alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

import pandas as pd
import plotly.graph_objects as go

TABLES, PICTURES = "tables", "pictures"
"""The folders, next to the report, of its tables and of its figures as files."""

FORMATS = {"csv": "CSV", "parquet": "Parquet", "tex": "LaTeX"}
"""In which formats tables are there, by the endings of the files."""


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Terms with their meanings or values."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Tabular:
    """A table of strings under a caption; the first columns hold names, the others numbers.

    Attributes:
        name: The name of its files, unique in the report.
        caption: A title.
        frame: Strings under the titles of the columns.
        values: The plain numbers behind the strings, line for line; None for a table of words.
        names: How many columns hold names.
        note: Text under the table; may be empty.
        links: Anchors of the page, by row and column.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    values: pd.DataFrame | None = None
    names: int = 1
    note: str = ""
    links: Mapping[tuple[int, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Chart:
    """A figure with its caption; ``name`` is unique in the report."""

    name: str
    caption: str
    figure: go.Figure


@dataclass(frozen=True)
class Picture:
    """A picture with its caption.

    Attributes:
        name: The name of its file, unique in the report.
        caption: A title.
        text: The picture in words, for those who do not see it.
        png: The file.
    """

    name: str
    caption: str
    text: str
    png: bytes


@dataclass(frozen=True)
class Warnings:
    """Warnings to read first."""

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


@dataclass(frozen=True)
class CellLinks:
    """A cell in a few words, with the addresses of its record and weights; empty without a file."""

    label: str
    record: str
    weights: str

    @property
    def links(self) -> tuple[str, str]:
        """Both addresses."""
        return self.record, self.weights


@dataclass(frozen=True)
class MethodCells:
    """The cells of one method; ``anchor`` is unique in the report."""

    anchor: str
    title: str
    cells: tuple[CellLinks, ...]

    @property
    def folder(self) -> str:
        """The beginning that all addresses have in common."""
        links = [link for cell in self.cells for link in cell.links if link]
        first, last = min(links, default=""), max(links, default="")
        same = (one == other for one, other in zip(first, last, strict=False))
        return first[: sum(takewhile(bool, same))]


@dataclass(frozen=True)
class CellList:
    """The cells of every method."""

    methods: tuple[MethodCells, ...]


Block = Text | Facts | Tabular | Chart | Picture | Warnings | Highlights | CellList


CHAPTER, PART = 2, 3
"""Heading levels of a chapter and of a part of one."""


@dataclass(frozen=True)
class Section:
    """A titled run of blocks: a chapter, or a part of the one before it.

    ``folded`` ones show their title until somebody opens them.
    """

    title: str
    blocks: tuple[Block, ...]
    level: int = CHAPTER
    folded: bool = False


@dataclass(frozen=True)
class Report:
    """A whole report: title, its pairs and its study in a line each, sections."""

    title: str
    subtitle: str
    study: str
    sections: tuple[Section, ...]

    @property
    def tables(self) -> tuple[Tabular, ...]:
        """Every table, in reading order."""
        return tuple(block for block in self._blocks() if isinstance(block, Tabular))

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Every figure, in reading order."""
        return tuple(block for block in self._blocks() if isinstance(block, Chart))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture, in reading order."""
        return tuple(block for block in self._blocks() if isinstance(block, Picture))

    def _blocks(self) -> Iterator[Block]:
        return (block for section in self.sections for block in section.blocks)
