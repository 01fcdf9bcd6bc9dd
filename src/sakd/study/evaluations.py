"""The folder of evaluations: the measures of each network, and its answers image by image."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakd.foundation.errors import DamagedError, UserError
from sakd.foundation.files import at_once
from sakd.foundation.frames import read_table
from sakd.foundation.options import require_type
from sakd.foundation.sealing import AGAIN, damaged, file_sha256, read_sealed, write_sealed

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

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
        """Read the evaluation called ``name``; None without a complete, intact one of this ``key``.

        The log says so if it is damaged.
        """
        try:
            return self._find(self._path(name, key), key)
        except DamagedError as error:
            logger.warning("%s: %s", name, error)
            return None

    def _find(self, path: Path, key: str) -> Evaluation | None:
        content = _read(path, "measured again")
        if content is None or content.get("key") != key or "measures" not in content:
            return None
        table = path.with_suffix(".parquet")
        if not content.get("images"):
            return Evaluation(content["measures"])
        if not table.exists():
            return None
        if content.get("sha256") not in (None, file_sha256(table)):
            raise damaged(table, f"its content is not that of {path.name}", "measured again")
        return Evaluation(content["measures"], read_table(table))

    def measures(self, name: str, key: str) -> Mapping[str, float]:
        """Read the measures of the network called ``name`` whose key begins with ``key``.

        They may have been measured by an earlier version of the code. Empty if there are none.

        Raises:
            UserError: The file is damaged.
        """
        content = _read(self._path(name, key)) or {}
        found: Mapping[str, float] = content.get("measures", {})
        return found if str(content.get("key")).startswith(key) else {}

    def save(self, name: str, key: str, evaluation: Evaluation) -> None:
        """Write an evaluation; its measures come last and imply that the images are there."""
        path, images = self._path(name, key), evaluation.images
        content = {"key": key, "images": 0, "measures": dict(evaluation.measures)}
        if images is not None:
            with at_once(path.with_suffix(".parquet")) as partial:
                images.to_parquet(partial, index=False, compression="zstd")
            content |= {"images": len(images), "sha256": file_sha256(path.with_suffix(".parquet"))}
        write_sealed(path, content)

    def forget(self, name: str, key: str) -> None:
        """Delete the evaluation of the training of ``key``, which is about to be repeated."""
        path = self._path(name, key)
        for file in (path, path.with_suffix(".parquet")):
            file.unlink(missing_ok=True)

    def _path(self, name: str, key: str) -> Path:
        return self._root / name / f"{key[:KEY_CHARACTERS]}.json"


def _read(path: Path, remedy: str = AGAIN) -> dict[str, Any] | None:
    try:
        content = read_sealed(path, remedy)
    except FileNotFoundError:
        return None
    try:
        require_type("measures", content.get("measures", {}), Mapping[str, float])
    except UserError as error:
        raise damaged(path, error, remedy) from error
    return content
