"""Files of labels (CSV): no text, wrong columns, paths out of the folder, strange names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from bad_input.case import Case, nothing, read
from bad_input.layouts import changed

FILES = [(f"{name}/{number}.png", name) for name in ("ant", "bee") for number in range(8)]
HEAD = "file,label\n"
GOOD = HEAD + "".join(f"{file},{label}\n" for file, label in FILES)
OPTIONS = "data.options.labels=labels.csv"
PLACE = "line 18 of .*labels.csv"
MOVE = "move it there"


def labels(name: str, content: str | bytes, value: str, remedy: str) -> Case:
    """Give a case of a file of labels with that content."""
    written = content if isinstance(content, bytes) else content.encode()
    return made(name, lambda file: file.write_bytes(written), value, remedy)


def row(name: str, line: str, value: str, remedy: str) -> Case:
    """Give a case of a file of labels with one more line."""
    return labels(name, f"{GOOD}{line}\n", value, remedy)


def made(name: str, make: Callable[[Path], object], value: str, remedy: str) -> Case:
    return read(name, changed(lambda top: make(top / "labels.csv")), value, remedy, OPTIONS)


CASES = [
    made("no-labels-file", nothing, "no file .*labels.csv", "put it there"),
    made("folder-of-labels", Path.mkdir, "no file .*labels.csv", "put it there"),
    made("pipe-of-labels", os.mkfifo, "no file .*labels.csv", "put it there"),
    labels("empty-labels", "", "columns  and none called file", "name them in its first line"),
    labels("labels-of-nothing", HEAD, "labels.csv names no images", "add rows"),
    labels("labels-not-utf-8", GOOD.encode() + b"\xff,ant\n", "0xff", "write it again"),
    labels("labels-in-utf-16", GOOD.encode("utf-16"), "labels.csv .*0xff", "write it again"),
    labels("labels-with-nulls", GOOD + "a\0,b\n", "labels.csv", "write it again|one line"),
    labels("labels-without-a-head", GOOD.removeprefix(HEAD), "ant/0.png, ant", "in its first line"),
    labels("labels-without-labels", GOOD.replace("label", "x"), "file, x .*label", "first line"),
    labels(
        "labels-unclosed", f'{GOOD}"ant/0.png,ant\n', "labels.csv .*end of data", "write it again"
    ),
    labels(
        "labels-of-a-huge-cell", f"{GOOD}{'x' * 200_000},ant\n", "field larger", "write it again"
    ),
    row("path-above", "../ant/0.png,ant", f"{PLACE} names ../ant/0.png", MOVE),
    row("path-above-in-the-middle", "ant/../../0.png,ant", f"{PLACE} names ant/../../0.png", MOVE),
    row("path-from-the-root", "/etc/passwd,ant", f"{PLACE} names /etc/passwd", MOVE),
    row("path-of-nothing", ",ant", f"{PLACE} has the file ''", "give it a text of one line"),
    row("path-to-nowhere", "ant/99.png,ant", "1 of 17 .*: ant/99.png", "paths are relative to"),
    row("path-to-a-folder", "ant,ant", "1 of 17 .*: ant;", "paths are relative to"),
    row("path-at-home", "~/0.png,ant", "1 of 17 .*: ~/0.png", "paths are relative to"),
    row("path-twice", "ant/0.png,ant", "1 images more than once: ant/0.png", "keep one line"),
    row("path-with-codes", "a\x1b[31m.png,ant", r"file 'a\\x1b\[31m.png'", "a text of one line"),
    row(
        "label-of-nothing", "ant/0.png,", f"{PLACE} has the label ''", "give it a text of one line"
    ),
    row("label-with-codes", "ant/0.png,a\x1b[31m", r"label 'a\\x1b\[31m'", "a text of one line"),
    row("label-backwards", "ant/0.png,a\u202eb", r"label 'a\\u202eb'", "a text of one line"),
    row("label-of-two-lines", 'ant/0.png,"a\nb"', r"label 'a\\nb'", "a text of one line"),
    row("label-of-ten-kilobytes", f"ant/0.png,{'x' * 10_000}", "10,002 letters", "of 1 to 255 let"),
    labels(
        "split-unknown",
        GOOD.replace("label", "label,split")
        .replace(",ant\n", ",ant,train\n")
        .replace(",bee\n", ",bee,later\n"),
        "the column split of .*labels.csv has later",
        "rename or remove",
    ),
]
