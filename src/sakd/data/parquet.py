"""CIFAR-100 as Hugging Face style parquet files: images as encoded bytes, labels as integers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from sakd.data.decoding import decode_images
from sakd.data.images import ImageSet
from sakd.errors import UserError

IMAGE, BYTES, LABEL = "img", "img.bytes", "fine_label"

logger = logging.getLogger(__name__)


def parquet_files(folder: Path, split: str) -> list[Path]:
    """List ``folder/<split>-*.parquet``, in the order of their names, after checking their columns.

    Raises:
        UserError: There is no such folder or file, or a file is not parquet or lacks a column.
    """
    if not folder.is_dir():
        raise UserError(f"no folder {folder}; allowed: one with train-*.parquet and test-*.parquet")
    files = sorted(folder.glob(f"{split}-*.parquet"))
    if not files:
        raise UserError(
            f"no {split}-*.parquet in {folder}; put the parquet files of CIFAR-100 there"
        )
    for file in files:
        _check_columns(file)
    return files


def read_split(files: list[Path], *, side: int, classes: int) -> ImageSet:
    """Decode the images of one split, in the order of files and rows.

    Raises:
        UserError: An image is unreadable, or a label is not in 0..``classes`` - 1.
    """
    parts = [_read(file, side, classes) for file in files]
    images = torch.cat([part.images for part in parts])
    return ImageSet(images, torch.cat([part.labels for part in parts]))


def class_names(file: Path) -> tuple[str, ...] | None:
    """Read the names of the labels from the schema metadata, where there are any."""
    try:
        metadata = json.loads(pq.read_schema(file).metadata[b"huggingface"])
        return tuple(str(name) for name in metadata["info"]["features"][LABEL]["names"])
    except (KeyError, TypeError, ValueError):
        return None


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        message = f"{file} is not a readable parquet file ({reason}); get it again"
        raise UserError(message) from error


def _check_columns(file: Path) -> None:
    with _readable(file):
        schema = pq.read_schema(file)
    types = {field.name: field.type for part in schema for field in (part, *part.flatten())}
    image, label = types.get(BYTES), types.get(LABEL, pa.null())
    if image not in (pa.binary(), pa.large_binary()) or not pa.types.is_integer(label):
        found = ", ".join(f"{field.name}: {field.type}" for field in schema)
        needed = f"{IMAGE}: struct<bytes: binary, path: string> and {LABEL}: integer"
        raise UserError(f"{file} has columns {found}; needed: {needed}")


def _read(file: Path, side: int, classes: int) -> ImageSet:
    with _readable(file):
        table = pq.read_table(file, columns=[IMAGE, LABEL]).flatten()
    labels = table[LABEL].to_pylist()
    for row, label in enumerate(labels):
        if label is None or not 0 <= label < classes:
            raise UserError(f"{LABEL} {label} in row {row} of {file}; allowed: 0 to {classes - 1}")
    logger.info("decoding %d images of %s", len(labels), file.name)
    images = decode_images(table[BYTES].to_pylist(), side=side, origin=str(file))
    return ImageSet(images, torch.tensor(labels, dtype=torch.int64))
