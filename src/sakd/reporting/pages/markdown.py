"""The report as Markdown."""

from __future__ import annotations

import re

from sakd.foundation.text import printable
from sakd.reporting.pages.sections import (
    FORMATS,
    PICTURES,
    TABLES,
    Block,
    CellLinks,
    CellList,
    Chart,
    Facts,
    Highlights,
    MethodCells,
    Picture,
    Report,
    Section,
    Tabular,
    Text,
    Warnings,
)

_ACTIVE = re.compile(r"([\\`*|~]|^[>#]|\](?=[(\[:])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def report_markdown(content: Report) -> str:
    """Write the report as GitHub-flavoured Markdown, which shows pictures and names the files.

    They are those that `table_files` and `picture_files` give, in folders next to it.
    """
    lines = [_text(line) for line in (content.subtitle, content.study) if line]
    head = [f"# {_text(content.title)}", *lines]
    return "\n\n".join([*head, *(_section(section) for section in content.sections)]) + "\n"


def _section(section: Section) -> str:
    title = f"{'#' * section.level} {_text(section.title)}"
    return "\n\n".join([title, *(_block(block) for block in section.blocks)])


def _block(block: Block) -> str:
    match block:
        case Text(text):
            lines = [_text(text)]
        case Facts(items):
            lines = [f"- **{_text(term)}**: {_text(value)}" for term, value in items]
        case Warnings(items):
            lines = ["> **Read this first**", ">", *(f"> - {_text(i)}" for i in items)]
        case Highlights(items):
            lines = [f"- {_text(i.label)}: **{_text(i.value)}** ({_text(i.note)})" for i in items]
        case Chart() | Picture():
            lines = [_picture(block)]
        case CellList(methods):
            lines = [f"- {_text(each.title)}: {_cells(each)}" for each in methods]
        case Tabular():
            lines = [_table(block)]
    return "\n".join(lines)


def _table(block: Tabular) -> str:
    frame = block.frame.astype(str).map(_text).rename(columns=_text)
    sides = ["left" if k < block.names else "right" for k in range(len(frame.columns))]
    table = frame.to_markdown(index=False, colalign=sides, disable_numparse=True)
    files = ", ".join(
        f"[{title}]({TABLES}/{block.name}.{ending})" for ending, title in FORMATS.items()
    )
    note = [_text(block.note)] if block.note else []
    return "\n\n".join([f"**{_text(block.caption)}**", table, *note, files])


def _picture(block: Chart | Picture) -> str:
    title, _, _ = block.caption.partition(". ")
    words, ending = (block.text, "png") if isinstance(block, Picture) else (title, "svg")
    return f"![{_text(words)}]({PICTURES}/{block.name}.{ending})\n\n{_text(block.caption)}"


def _cells(method: MethodCells) -> str:
    return "; ".join(map(_cell, method.cells))


def _cell(cell: CellLinks) -> str:
    files = {"record": cell.record, "weights": cell.weights}
    links = [f"[{title}]({href})" for title, href in files.items() if href]
    return " ".join([_text(cell.label), *links])


def _text(text: str) -> str:
    """Escape text from data, so that it is shown literally, on one line, and dollars as dollars."""
    flat = printable(" ".join(text.split()))
    escaped = flat.replace("&", "&amp;").replace("<", "&lt;").replace("$", "&#36;")
    return _ACTIVE.sub(r"\\\1", escaped)
