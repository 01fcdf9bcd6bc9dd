"""Text of others is shown by Markdown as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sakd.foundation.markdown import literal
from sakd.foundation.text import printable

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
SIGNS = st.text(st.sampled_from("\\`*_|~<>[]()!#&$:-+= ab\n"), max_size=20)


def words(text: str, page: str) -> list[str]:
    """The words of the only paragraph of a page that begins with a word of ours."""
    _, inline, _ = MARKDOWN.parse(page)
    assert [child.type for child in inline.children] == ["text"] * len(inline.children), text
    return "".join(child.content for child in inline.children).split()


@given(st.one_of(SIGNS, st.text()))
def test_any_text_is_words_and_nothing_else(text: str) -> None:
    page = f"So: {literal(text)}"
    assert words(text, page) == ["So:", *printable(" ".join(text.split())).split()]
    assert "$" not in page


@pytest.mark.parametrize("text", ["# a", "> a", "- a", "+ a", "* a", "[x] a", "```", "~~~"])
def test_a_text_that_begins_a_line_is_a_paragraph(text: str) -> None:
    assert words(text, literal(text)) == text.split()


def test_numbers_and_names_stay_readable() -> None:
    for text in ("-0.25", "+1", "a_b_c", "[0.5]", "resnet20/resnet8", "90 % of 1,000"):
        assert literal(text) == text


def test_a_cell_of_a_table_stays_one() -> None:
    page = f"| a | b |\n|---|---|\n| {literal('x | y')} | z |\n"
    assert MARKDOWN.render(page).count("<td>") == 2
