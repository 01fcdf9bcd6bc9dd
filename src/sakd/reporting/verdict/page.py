"""The page of a verdict: blocks that are made of results, and prose around them that is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import fill

import pandas as pd

from sakd.foundation.errors import require
from sakd.reporting.tables.verdicts import ADAPTIVE
from sakd.reporting.verdict.differences import policy_table, question_table, questions, sentences
from sakd.reporting.verdict.levels import extent, level_table
from sakd.reporting.verdict.part import Part
from sakd.reporting.verdict.rates import router_table, spot_table

_BLOCK = re.compile(r"(<!-- ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

_WIDTH = 120
"""Characters of a line of prose."""

BLOCKS = (
    "extent",
    "sentences",
    "pictures",
    "questions",
    "distillers",
    "policies",
    "routers",
    "spots",
    "levels",
)
"""The blocks of a dataset."""

HEAD = """# The verdict

Between two comments stands what a study has found. To write it again leaves all other lines as they
are.
"""


def blocks(part: Part, pictures: Mapping[str, str]) -> dict[str, str]:
    """Make the blocks of a dataset, by name, in the order of a page.

    Args:
        part: What was found.
        pictures: Their titles, by the names of the files.
    """
    margin = part.outcomes.margin
    drawn = "\n\n".join(f"![{title}]({name})" for name, title in pictures.items())
    made = {
        "extent": table(extent(part), 1),
        "sentences": "\n".join(_item(sentence) for sentence in sentences(part)),
        "pictures": drawn,
        "questions": table(question_table(questions(part), margin), 3),
        "distillers": table(question_table(questions(part, each=True), margin), 3),
        "policies": table(policy_table(part), 1),
        "routers": table(router_table(part), 3),
        "spots": table(spot_table(part, ADAPTIVE), 3),
        "levels": table(level_table(part), 2),
    }
    return {f"{part.dataset}-{name}": text for name, text in made.items()}


def block_names(datasets: Sequence[str]) -> list[str]:
    """Name the blocks of a page on ``datasets``."""
    return [f"{dataset}-{name}" for dataset in datasets for name in BLOCKS]


def _item(sentence: str) -> str:
    return fill(sentence, _WIDTH, initial_indent="- ", subsequent_indent="  ")


def table(frame: pd.DataFrame, names: int) -> str:
    """Write a table as Markdown; the first ``names`` columns are names, the others numbers."""
    if frame.empty:
        return "Nothing of it was run."
    sides = ["left" if k < names else "right" for k in range(len(frame.columns))]
    shown = frame.astype(str).map(lambda text: text.replace("|", "\\|"))
    return str(shown.to_markdown(index=False, colalign=sides, disable_numparse=True))


def fresh(made: Mapping[str, str]) -> str:
    """Write a page that has nothing but the blocks ``made``."""
    return HEAD + "".join(f"\n## {name}\n\n<!-- {name} -->\n<!-- end -->\n" for name in made)


def filled(page: str, made: Mapping[str, str]) -> str:
    """Put the blocks ``made`` where ``page`` names them, and leave the rest as it is.

    Raises:
        UserError: The page names none of them.
    """
    check_page(page, made)

    def put(found: re.Match[str]) -> str:
        start, name, end = found.groups()
        return f"{start}\n{made[name]}\n\n{end}" if name in made else found.group()

    return _BLOCK.sub(put, page)


def check_page(page: str, names: Iterable[str]) -> None:
    """Check that a page has a place for one of the blocks called ``names``.

    Raises:
        UserError: It has none.
    """
    known = [*names]
    remedy = "write <!-- NAME --> and, in a later line, <!-- end -->"
    complaint = f"the page has no place for a block: {remedy}, of {', '.join(known)}"
    require(not set(_named(page)).isdisjoint(known), complaint)


def _named(page: str) -> Iterator[str]:
    return (found.group(2) for found in _BLOCK.finditer(page))
