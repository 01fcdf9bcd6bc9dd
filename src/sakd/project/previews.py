"""Previews of datasets in kedro-viz; empty where no run has written one yet."""

from __future__ import annotations

import base64

import pandas as pd
from kedro_datasets._typing import ImagePreview, TablePreview

from sakd.data import Parts
from sakd.reporting.figures.sheets import sheet

IMAGES = 12
"""Images of each split."""


def images_of(parts: Parts) -> ImagePreview:
    """Draw the first images of every split; nothing of images in files of their own."""
    read = {name: part().get("images") for name, part in parts.items()}
    rows = {name: images[:IMAGES] for name, images in read.items() if images is not None}
    return ImagePreview(base64.b64encode(sheet(rows)).decode() if rows else "")


def lines_of(table: pd.DataFrame, count: int) -> TablePreview:
    """Show the first lines of a table, and pictures in it by their size."""
    return TablePreview(table.head(count).map(_shown).to_dict(orient="split"))


def _shown(value: object) -> object:
    return f"{len(value):,} bytes" if isinstance(value, bytes) else value
