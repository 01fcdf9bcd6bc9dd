"""A table of the report as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sakd.foundation.text import printable
from sakd.reporting.pages.sections import Tabular
from sakd.reporting.tables.formats import NOTHING

_SPECIAL = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "{''}",
    "±": r"$\pm$",
    "[": "{[}",  # after the end of a line it would begin an argument, as would an asterisk
    "*": "{*}",
    "-": "{-}",  # two of them would become a dash
}
_NUMBER = re.compile(r"(?<![\w.])([+-])(?=\d)")
_ARROW = "->"


def latex(table: Tabular) -> str:
    r"""Write a table as a ``tabular`` of booktabs, to be read by ``\input``.

    Its caption and its note are comments: the document that reads it has words of its own.
    """
    columns = "".join("l" if k < table.names else "r" for k in range(table.frame.shape[1]))
    lines = table.frame.astype(str).to_numpy().tolist()
    comments = [f"{table.caption}.", table.note, r"Needs \usepackage{booktabs}."]
    return "\n".join(
        [
            *(f"% {_flat(comment)}" for comment in comments if comment),
            f"\\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
            "\\toprule",
            _line(table.frame.columns),
            "\\midrule",
            *map(_line, lines),
            "\\bottomrule",
            "\\end{tabular}",
            "",
        ]
    )


def _line(texts: Iterable[object]) -> str:
    return " & ".join(_cell(str(text)) for text in texts) + r" \\"


def _cell(text: str) -> str:
    return "--" if text == NOTHING else escaped(_flat(text))


def _flat(text: str) -> str:
    return printable(" ".join(text.split()))


def escaped(text: str) -> str:
    """Write ``text`` so that LaTeX shows it literally, with the signs of numbers as signs."""
    return r"$\to$".join(map(_signed, text.split(_ARROW)))


def _signed(text: str) -> str:
    parts = _NUMBER.split(text)
    return "".join(f"${part}$" if k % 2 else _literal(part) for k, part in enumerate(parts))


def _literal(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
