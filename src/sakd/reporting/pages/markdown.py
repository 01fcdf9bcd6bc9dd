"""The report as Markdown."""

from __future__ import annotations

from sakd.foundation.markdown import literal
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


def report_markdown(content: Report) -> str:
    """Write the report as GitHub-flavoured Markdown, which shows pictures and names the files.

    They are those that `table_files` and `picture_files` give, in folders next to it.
    """
    lines = [literal(line) for line in (content.subtitle, content.study) if line]
    head = [f"# {literal(content.title)}", *lines]
    return "\n\n".join([*head, *(_section(section) for section in content.sections)]) + "\n"


def _section(section: Section) -> str:
    title = f"{'#' * section.level} {literal(section.title)}"
    return "\n\n".join([title, *(_block(block) for block in section.blocks)])


def _block(block: Block) -> str:
    match block:
        case Text(text):
            lines = [literal(text)]
        case Facts(items):
            lines = [f"- **{literal(term)}**: {literal(value)}" for term, value in items]
        case Warnings(items):
            lines = ["> **Read this first**", ">", *(f"> - {literal(i)}" for i in items)]
        case Highlights(items):
            lines = [
                f"- {literal(i.label)}: **{literal(i.value)}** ({literal(i.note)})" for i in items
            ]
        case Chart() | Picture():
            lines = [_picture(block)]
        case CellList(methods):
            lines = [f"- {literal(each.title)}: {_cells(each)}" for each in methods]
        case Tabular():
            lines = [_table(block)]
    return "\n".join(lines)


def _table(block: Tabular) -> str:
    frame = block.frame.astype(str).map(literal).rename(columns=literal)
    sides = ["left" if k < block.names else "right" for k in range(len(frame.columns))]
    table = frame.to_markdown(index=False, colalign=sides, disable_numparse=True)
    files = ", ".join(
        f"[{title}]({TABLES}/{block.name}.{ending})" for ending, title in FORMATS.items()
    )
    note = [literal(block.note)] if block.note else []
    return "\n\n".join([f"**{literal(block.caption)}**", table, *note, files])


def _picture(block: Chart | Picture) -> str:
    title, _, _ = block.caption.partition(". ")
    words, ending = (block.text, "png") if isinstance(block, Picture) else (title, "svg")
    return f"![{literal(words)}]({PICTURES}/{block.name}.{ending})\n\n{literal(block.caption)}"


def _cells(method: MethodCells) -> str:
    return "; ".join(map(_cell, method.cells))


def _cell(cell: CellLinks) -> str:
    files = {"record": cell.record, "weights": cell.weights}
    links = [f"[{title}]({href})" for title, href in files.items() if href]
    return " ".join([literal(cell.label), *links])
