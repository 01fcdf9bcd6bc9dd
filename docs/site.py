"""What mkdocs does besides: pages from outside this folder, and formulas as MathML.

mkdocs calls the functions by their names, see "hooks" in mkdocs.yml.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from latex2mathml.converter import convert
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
OUTSIDE = "project"
"""The folder of the site for pages from outside ``docs``."""
PAGES = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("conf/README.md", "tests/golden/README.md"),
)
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside ``docs``, and the licence to which they link."""
    for name in (*PAGES, "LICENSE"):
        path = Path(f"{OUTSIDE}/{name}")
        text = _relinked((ROOT / name).read_text(), Path(name).parent, path.parent)
        files.append(File.generated(config, str(path), content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Lead links out of ``docs`` to the pages that were added."""
    source = Path(page.file.src_uri)
    if source.parts[0] == OUTSIDE:
        return markdown
    return _relinked(markdown, Path("docs") / source.parent, source.parent)


def on_page_content(html: str, **_: object) -> str:
    """Turn formulas into MathML, which browsers draw without a script."""
    return FORMULA.sub(_formula, html)


def _relinked(text: str, folder: Path, place: Path) -> str:
    """Rewrite the links of a page in ``folder`` of the project for its ``place`` in the site."""

    def moved(match: re.Match[str]) -> str:
        target = os.path.normpath(folder / match[1])
        inside = Path(target).is_relative_to("docs")
        goal = Path(target).relative_to("docs") if inside else Path(OUTSIDE) / target
        return os.path.relpath(goal, place)

    return LINK.sub(moved, text)


def _formula(match: re.Match[str]) -> str:
    text = match[2]
    for entity, sign in ENTITIES.items():
        text = text.replace(entity, sign)
    return str(convert(text.strip(), display="block" if match[1] == "div" else "inline"))
