"""The folder of evaluations: the measures of each network, and its answers image by image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import ArrowException

from sakd.foundation.errors import UserError
from sakd.foundation.files import at_once, write_json

KEY_CHARACTERS = 12
"""Length of the part of a content key that names a file or a folder."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The outcome of measuring one network.

    Attributes:
        measures: Numbers by name.
        images: A line for each test image, in their order; None where nothing is kept of them.
    """

    measures: Mapping[str, float]
    images: pd.DataFrame | None = None


class Evaluations:
    """A folder with two files for each evaluation: measures as JSON, images as Parquet."""

    def __init__(self, root: Path) -> None:
        """Use the folder ``root``."""
        self._root = root

    def find(self, name: str, key: str) -> Evaluation | None:
        """Read the evaluation called ``name``; None without a complete one of this ``key``.

        Raises:
            UserError: A file is damaged.
        """
        content = read_json(path := self._path(name, key))
        if content is None or content.get("key") != key or "measures" not in content:
            return None
        table = path.with_suffix(".parquet")
        if not content["images"]:
            return Evaluation(content["measures"])
        if not table.exists():
            return None
        return Evaluation(content["measures"], read_table(table))

    def measures(self, name: str, key: str) -> Mapping[str, float]:
        """Read the measures of the network called ``name`` whose key begins with ``key``.

        They may have been measured by an earlier version of the code. Empty if there are none.

        Raises:
            UserError: The file is damaged.
        """
        content = read_json(self._path(name, key)) or {}
        found: Mapping[str, float] = content.get("measures", {})
        return found if str(content.get("key")).startswith(key) else {}

    def save(self, name: str, key: str, evaluation: Evaluation) -> None:
        """Write an evaluation; its measures come last and imply that the images are there."""
        path, images = self._path(name, key), evaluation.images
        if images is not None:
            with at_once(path.with_suffix(".parquet")) as partial:
                images.to_parquet(partial, index=False, compression="zstd")
        count = 0 if images is None else len(images)
        write_json(path, {"key": key, "images": count, "measures": dict(evaluation.measures)})

    def forget(self, name: str, key: str) -> None:
        """Delete the evaluation of the training of ``key``, which is about to be repeated."""
        path = self._path(name, key)
        for file in (path, path.with_suffix(".parquet")):
            file.unlink(missing_ok=True)

    def _path(self, name: str, key: str) -> Path:
        return self._root / name / f"{key[:KEY_CHARACTERS]}.json"


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None without the file.

    Raises:
        UserError: The file is damaged.
    """
    try:
        content: dict[str, Any] = dict(json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError) as error:
        raise damaged(path, error) from error
    return content


def read_table(path: Path) -> pd.DataFrame:
    """Read a Parquet file.

    Raises:
        UserError: The file is damaged.
    """
    try:
        return pd.read_parquet(path)
    except (ArrowException, OSError) as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> UserError:
    """Say that a file is damaged, and what to do."""
    reason = str(error).partition("\n")[0]
    return UserError(f"{path} is damaged ({reason}): delete it and run again")
