"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

import re
from html import escape

from plotly.offline import get_plotlyjs

from sakd.reporting.pages.sections import (
    CHAPTER,
    Block,
    Chart,
    Facts,
    Highlights,
    Report,
    Section,
    Tabular,
    Text,
    Warnings,
)
from sakd.reporting.pages.style import POLICY, SCRIPT, STYLE


def report_html(content: Report) -> str:
    """The report as a self-contained page: opens offline, loads nothing, follows light and dark.

    A content security policy in the page forbids every request. All text from data is escaped.
    """
    title, subtitle = escape(content.title), escape(content.subtitle)
    body = "\n".join(_section(section) for section in content.sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}: {subtitle}</title>\n<style>{STYLE}</style>\n"
        f"<script>{get_plotlyjs()}</script>\n</head>\n<body>\n"
        f"<header><h1>{title}</h1><p>{subtitle}</p><nav>{_links(content.sections)}</nav></header>\n"
        f"<main>\n{body}\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _links(sections: tuple[Section, ...]) -> str:
    chapters = [section.title for section in sections if section.level == CHAPTER]
    return "".join(f'<a href="#{_anchor(title)}">{escape(title)}</a>' for title in chapters)


def _section(section: Section) -> str:
    blocks = "\n".join(_block(block) for block in section.blocks)
    heading = f"<h{section.level}>{escape(section.title)}</h{section.level}>"
    return f'<section id="{_anchor(section.title)}">{heading}\n{blocks}\n</section>'


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _block(block: Block) -> str:
    match block:
        case Text(text):
            return f"<p>{escape(text)}</p>"
        case Facts(items):
            facts = (f"<dt>{escape(term)}</dt><dd>{escape(value)}</dd>" for term, value in items)
            return f"<dl>{''.join(facts)}</dl>"
        case Warnings(items):
            lines = "".join(f"<li>{escape(item)}</li>" for item in items)
            return f'<aside role="note"><strong>Read this first</strong><ul>{lines}</ul></aside>'
        case Highlights():
            return _highlights(block)
        case Chart():
            return _chart(block)
        case Tabular():
            return _table(block)


def _highlights(block: Highlights) -> str:
    tiles = (
        f"<li><span>{escape(item.label)}</span><strong>{escape(item.value)}</strong>"
        f"<small>{escape(item.note)}</small></li>"
        for item in block.items
    )
    return f'<ul class="tiles">{"".join(tiles)}</ul>'


def _chart(block: Chart) -> str:
    name = escape(block.name)
    # Inside a script element only "<" can end the data early.
    figure = block.figure.to_json().replace("<", "\\u003c")
    height = int(block.figure.layout.height)
    return (
        f'<figure><div class="chart" id="{name}" style="height:{height}px"></div>'
        f'<script type="application/json" data-figure="{name}">{figure}</script>'
        f"<figcaption>{escape(block.caption)}</figcaption></figure>"
    )


def _table(block: Tabular) -> str:
    classes = ["name" if k < block.names else "number" for k in range(len(block.frame.columns))]
    heads = _cells("th", [str(name) for name in block.frame.columns], classes)
    lines = block.frame.astype(str).to_numpy().tolist()
    body = "".join(f"<tr>{_cells('td', line, classes)}</tr>" for line in lines)
    note = f"<p class='note'>{escape(block.note)}</p>" if block.note else ""
    return (
        f'<div class="table"><table><caption>{escape(block.caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>{note}"
    )


def _cells(tag: str, values: list[str], classes: list[str]) -> str:
    pairs = zip(values, classes, strict=True)
    return "".join(f'<{tag} class="{name}">{escape(value)}</{tag}>' for value, name in pairs)
