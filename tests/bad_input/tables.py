"""Parquet files: no tables, wrong columns, missing, strange and hostile cells."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bad_input.case import Case, Make, nothing, read
from bad_input.hostile import Canary
from bad_input.pictures import png

ROWS = 12
IMAGE = {"bytes": png(), "path": None}
IMAGES, LABELS = [IMAGE] * ROWS, [0, 1] * (ROWS // 2)
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write(
    top: Path, features: object = None, name: str = "train-0.parquet", **columns: Any
) -> None:
    """Write a table of images and labels, with changes; a column that is None is left out."""
    every = {"image": pa.array(IMAGES, IMAGE_TYPE), "label": LABELS} | columns
    table = pa.table({column: value for column, value in every.items() if value is not None})
    if features is not None:
        text = (
            features
            if isinstance(features, str)
            else json.dumps({"info": {"features": {"label": {"names": features}}}})
        )
        table = table.replace_schema_metadata({"huggingface": text})
    top.mkdir(exist_ok=True)
    pq.write_table(table, top / name)


def table(name: str, value: str, remedy: str, options: str = "", **columns: Any) -> Case:
    """Give a case of a table with other columns."""
    return made(name, lambda top: write(top, **columns), value, remedy, options)


def made(
    name: str, make: Callable[[Path], object], value: str, remedy: str, options: str = ""
) -> Case:
    """Give a case of parquet files that ``make`` writes."""

    def prepare(here: Path) -> None:
        (here / "top").mkdir()
        make(here / "top")

    return read(name, prepare, value, remedy, options, data="parquet")


def spoilt(change: Callable[[bytes], bytes]) -> Make:
    """Write a table, then ``change`` its bytes."""

    def make(top: Path) -> None:
        write(top)
        file = top / "train-0.parquet"
        file.write_bytes(change(file.read_bytes()))

    return make


def labels(*changes: object, kind: pa.DataType | None = None) -> pa.Array:
    """Give labels of which the last ones are changed."""
    return pa.array([*LABELS[: ROWS - len(changes)], *changes], kind)


def images(*changes: object) -> pa.Array:
    """Give images of which the last ones are changed."""
    return pa.array([*IMAGES[: ROWS - len(changes)], *changes], IMAGE_TYPE)


def content(data: bytes | None) -> dict[str, object]:
    return {"bytes": data, "path": None}


NEEDED = "needed: an image column: struct<bytes: binary"
FILE = "train-0.parquet"
AGAIN = "get it again"
GAPS = "number the classes from 0 without gaps"
ONE_LINE = "give each a name of one line"

CASES = [
    made("no-parquet", nothing, "no train-.*parquet in .*top", "allowed: one with train-"),
    made("empty-parquet", lambda top: (top / FILE).touch(), FILE, AGAIN),
    made("text-as-parquet", lambda top: (top / FILE).write_text("PAR1 PAR1"), FILE, AGAIN),
    made("folder-as-parquet", lambda top: (top / FILE).mkdir(), FILE, AGAIN),
    made(
        "pickle-as-parquet", lambda top: (top / FILE).write_bytes(pickle.dumps(LABELS)), FILE, AGAIN
    ),
    made("half-a-parquet", spoilt(lambda data: data[: len(data) // 2]), FILE, AGAIN),
    made("parquet-without-a-foot", spoilt(lambda data: data[:-8] + bytes(8)), FILE, AGAIN),
    made(
        "parquet-with-a-huge-foot",
        spoilt(lambda data: data[:-8] + b"\xff\xff\xff\x7fPAR1"),
        FILE,
        AGAIN,
    ),
    made("pipe-of-parquet", lambda top: os.mkfifo(top / FILE), f"{FILE} .*a pipe or", AGAIN),
    made("broken-link-to-parquet", lambda top: (top / FILE).symlink_to(top / "no"), FILE, AGAIN),
    table(
        "no-rows", FILE, "add images", image=pa.array([], IMAGE_TYPE), label=pa.array([], "int64")
    ),
    table("no-labels", "columns image", "a label column: integer", label=None),
    table("no-images", "columns label", NEEDED, image=None),
    table("images-as-text", "image: string", NEEDED, image=["a.png"] * ROWS),
    table("images-as-bytes", "image: binary", NEEDED, image=[png()] * ROWS),
    table("images-as-lists", "image: list<", NEEDED, image=[[1, 2]] * ROWS),
    table("images-without-bytes", "image: struct<path", NEEDED, image=[{"path": "a.png"}] * ROWS),
    table("images-elsewhere", "columns", "pic: struct", "data.options.image_column=pic"),
    table("labels-elsewhere", "columns", "cat.*: integer", "data.options.label_column=cat"),
    table("two-columns-of-images", "image, more", "set data.options.image_column", more=images()),
    table("two-columns-of-labels", "label, more", "set data.options.label_column", more=LABELS),
    table("labels-as-text", "label: string", "a label column: integer", label=["ant", "bee"] * 6),
    table("labels-as-fractions", "label: double", "label column: integer", label=[0.0, 1.0] * 6),
    table("labels-as-truths", "label: bool", "label column: integer", label=[True, False] * 6),
    table(
        "labels-as-dates",
        "label: timestamp",
        "label column: integer",
        label=pa.array(LABELS, pa.timestamp("s")),
    ),
    table(
        "labels-as-decimals",
        "label: decimal",
        "column: integer",
        label=[Decimal(0), Decimal(1)] * 6,
    ),
    table(
        "labels-as-bytes", "label: binary", "label column: integer", label=[pickle.dumps(0)] * ROWS
    ),
    table("labels-as-lists", "label: list", "label column: integer", label=[[0], [1]] * 6),
    table("label-missing", "label None in row 11", "allowed: 0 or more", label=labels(None)),
    table("label-below-0", "label -1 in row 11", "allowed: 0 or more", label=labels(-1)),
    table(
        "label-beyond", "label 2 in row 11", "allowed: 0 to 1", label=labels(2), features=["a", "b"]
    ),
    table("label-with-a-gap", "labels up to 3, and no image of class 2", GAPS, label=labels(3, 3)),
    table("label-huge", f"labels up to {2**63}", GAPS, label=labels(2**63, kind=pa.uint64())),
    table(
        "label-huge-and-named",
        str(2**63),
        "allowed: 0 to 1",
        label=labels(2**63, kind=pa.uint64()),
        features=["a", "b"],
    ),
    table("all-of-one-class", "one class, '0'", "at least 2", label=[0] * ROWS),
    table(
        "class-without-rows", "class 'c' has 0 images", "add images or", features=["a", "b", "c"]
    ),
    table("class-twice", "several classes called a", "a name of its own", features=["a", "a"]),
    table(
        "class-twice-in-two-forms", "called \xe9", "a name of its own", features=["e\u0301", "\xe9"]
    ),
    table("class-in-two-lines", r"'a\\nb'", ONE_LINE, features=["a\nb", "c"]),
    table("class-with-codes", r"'a\\x1b\[31m'", ONE_LINE, features=["a\x1b[31m", "c"]),
    table("class-backwards", r"'a\\u202eb'", ONE_LINE, features=["a\u202eb", "c"]),
    table("class-without-width", r"'a\\u200b'", ONE_LINE, features=["a\u200b", "a"]),
    table(
        "class-of-ten-kilobytes",
        "xxx.*10,002 letters",
        "of 1 to 255 letters",
        features=["x" * 10_000, "a"],
    ),
    table("class-without-a-name", "classes ''", "give each a name", features=["", "a"]),
    table("image-missing", r"image 11 of .*no bytes", "replace or remove", image=images(None)),
    table(
        "image-without-bytes", r"image 11 of .*no bytes", "replace or", image=images(content(None))
    ),
    table("image-of-0-bytes", r"image 11 of .*no bytes", "replace or", image=images(content(b""))),
    table("image-half", r"image 11 of .*\(", "replace or", image=images(content(png()[:40]))),
    table(
        "image-as-pickle",
        "image 11 .*cannot identify",
        "replace or remove",
        image=images(content(pickle.dumps(Canary()))),
    ),
    table(
        "image-as-array",
        "image 11 .*cannot identify",
        "replace or remove",
        image=images(content(b"\x93NUMPY" + bytes(99))),
    ),
    made(
        "shard-missing",
        lambda top: write(top, name="train-00000-of-00002.parquet"),
        "1 of 2 files such as .*train-00000-of-00002",
        "get the others, or rename",
    ),
    made(
        "shards-differ",
        lambda top: [write(top, features=[n, "b"], name=f"train-{n}.parquet") for n in "12"],
        "train-2.parquet and .*train-1.parquet differ",
        "write one again",
    ),
    made(
        "classes-of-val-differ",
        lambda top: [write(top, ["a", "b"]), write(top, ["a", "c"], "val-0.parquet")],
        "val-0.parquet has classes that train has not: c",
        "add them to train, or remove",
    ),
    made(
        "val-without-names",
        lambda top: [write(top, ["a", "b"]), write(top, None, "val-0.parquet")],
        "val-0.parquet and .*train-0.parquet differ",
        "write one again",
    ),
    made(
        "val-of-other-columns",
        lambda top: [write(top), write(top, None, "val-0.parquet", image=None)],
        "val-0.parquet has columns label",
        "needed: image: struct<bytes",
    ),
]
