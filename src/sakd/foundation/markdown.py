"""Text of others in Markdown."""

from __future__ import annotations

import re

from sakd.foundation.text import printable

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", "$": "&#36;"})
"""For a dollar GitHub knows no other escape: a formula may stand between two of them."""

_ACTIVE = re.compile(
    r"([\\`*|~]"
    r"|^[>#]|^[-+](?= )|^\[(?=[ xX]\] )"  # quotes, titles, lists, boxes of tasks
    r"|\](?=[(\[:])"  # links, pictures
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))"
)


def literal(text: object) -> str:
    r"""Write text of others as one line of Markdown that shows it as it is, in tables too.

    >>> literal("# 5 $ | [a](b)\nc_d _e_")
    '\\# 5 &#36; \\| [a\\](b) c_d \\_e\\_'
    """
    flat = printable(" ".join(str(text).split()))
    return _ACTIVE.sub(r"\\\1", flat.translate(_ENTITIES))
