"""Names of files and classes: control and escape codes, invisible and reversing characters."""

from __future__ import annotations

import os
from pathlib import Path

from bad_input.case import Case, read
from bad_input.layouts import changed

LONG = "x" * 10_000


def file(name: str, new: str, value: str) -> Case:
    """Give a case of a file that is called ``new``."""
    return read(
        f"file-{name}",
        changed(lambda top: (top / "ant/0.png").rename(top / "ant" / new)),
        value,
        "rename it",
    )


def label(name: str, new: str, value: str) -> Case:
    """Give a case of a class whose folder is called ``new``."""
    return read(
        f"class-{name}", changed(lambda top: (top / "ant").rename(top / new)), value, "rename it"
    )


def raw(top: Path) -> None:
    (top / "ant").rename(os.fsdecode(bytes(top) + b"/\xff"))


CASES = [
    read("class-not-utf-8", changed(raw), r"'\\udcff'", "rename it"),
    file("of-two-lines", "a\nb.png", r"'a\\nb.png'"),
    file("with-a-tab", "a\tb.png", r"'a\\tb.png'"),
    file("that-returns", "good.png\rbad.png", r"good.png\\rbad.png"),
    file("with-escape-codes", "a\x1b[31m.png", r"'a\\x1b\[31m.png'"),
    file("read-backwards", "a\u202egnp.exe.png", r"'a\\u202egnp.exe.png'"),
    file("with-nothing-in-it", "a\u200b.png", r"'a\\u200b.png'"),
    label("of-two-lines", "a\nt", r"'a\\nt'"),
    label("with-escape-codes", "a\x1b[31mt", r"a\\x1b\[31mt"),
    label("with-a-title-of-the-terminal", "a\x1b]0;t\x07", r"a\\x1b\]0;t\\x07"),
    label("with-a-c1-code", "a\x9b31mt", r"a\\x9b31mt"),
    label("with-a-line-separator", "a\u2028t", r"a\\u2028t"),
    label("read-backwards", "a\u202etna", r"a\\u202etna"),
    label("isolated", "a\u2066t\u2069", r"a\\u2066t\\u2069"),
    label("with-no-width", "a\u200bnt", r"a\\u200bnt"),
    label("with-a-mark-of-order", "\ufeffant", r"\\ufeffant"),
    label("joined-by-nothing", "a\u2060nt", r"a\\u2060nt"),
    label("of-tags", "a\U000e0041nt", r"a\\U000e0041nt"),
]
