"""Text of others, as it may stand in a line of a message or of a table."""

from __future__ import annotations

import re

UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that cannot be printed on one line, and those of names that are not UTF-8."""


def printable(text: object) -> str:
    r"""Write text on one line: breaks as spaces, codes of the terminal as what they are called.

    >>> printable("red\x1b[31m\nend")
    'red\\x1b[31m end'
    """
    return UNWRITABLE.sub(_written, str(text))


def _written(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else ascii(found[0])[1:-1]
