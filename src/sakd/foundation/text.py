"""Text of others, as it may stand in a line of a message or of a table."""

from __future__ import annotations

import re

UNWRITABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # codes of the terminal, among them escape and the ends of lines
    "\u200b\u2060-\u206f\ufeff\U000e0000-\U000e007f"  # are not seen, or set a part apart
    "\u2028\u2029\u202a-\u202e"  # end a line, or turn its direction
    "\ud800-\udfff]"  # stand for bytes that are not UTF-8
)
"""Characters that end a line, command a terminal, cannot be seen, or reorder what is seen.

The joiners U+200C and U+200D are not among them: some scripts are written with them.
"""

_SHOWN = 200
_FORMULA = ("=", "+", "-", "@")
_NUMBERS = re.compile(r"[-+][-+\d.,\s\N{PLUS-MINUS SIGN}%]*")


def printable(text: object) -> str:
    r"""Write text on one line: breaks as spaces, codes of the terminal as what they are called.

    >>> printable("red\x1b[31m\nend")
    'red\\x1b[31m end'
    """
    return UNWRITABLE.sub(_written, str(text))


def quoted(value: object) -> str:
    """Write a value as Python would; of a very long one the beginning and its length."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text):,} letters)"


def csv_cell(text: str) -> str:
    """Write text as a cell of a CSV file: a spreadsheet would run what begins like a formula.

    Such a text gets an apostrophe, as spreadsheets mark text; numbers with a sign stay as they are.

    >>> csv_cell("=1+1"), csv_cell("-0.25 \N{PLUS-MINUS SIGN} 0.10"), csv_cell("-a")
    ("'=1+1", '-0.25 \N{PLUS-MINUS SIGN} 0.10', "'-a")
    """
    plain = printable(text)
    active = plain.startswith(_FORMULA) and not _NUMBERS.fullmatch(plain)
    return f"'{plain}" if active else plain


def _written(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else ascii(found[0])[1:-1]
