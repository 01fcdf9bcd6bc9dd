"""Prepared splits on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from sakd.data.batches.images import Images, content_hash
from sakd.data.splits.data_card import DataCard, Splits
from sakd.foundation.errors import UserError
from sakd.foundation.files import at_once

Parts = Mapping[str, Callable[[], Mapping[str, Tensor]]]
"""Splits by name, each a function that reads its tensors."""


class SplitStore:
    """The folder of one dataset's prepared splits, with their card.

    Test images lie in a folder of their own, so that what learns is never handed them.
    """

    def __init__(self, root: Path) -> None:
        """Keep the splits under ``root``."""
        self._root = root

    @property
    def development(self) -> Parts:
        """The training and validation images."""
        return parts_in(self._root / "development")

    @property
    def test(self) -> Parts:
        """The test images."""
        return parts_in(self._root / "test")

    def write(self, splits: Splits) -> None:
        """Write the images; their card is for the caller to write, once they are all there."""
        images = {
            "development/train": splits.train,
            "development/val": splits.val,
            "test/test": splits.test,
        }
        for name, part in images.items():
            with at_once(self._root / f"{name}.safetensors") as partial_file:
                save_file(dict(part.tensors()), partial_file)

    def matching(self, key: str, read: Callable[[Mapping[str, Tensor]], Images]) -> Splits | None:
        """Read the splits that were prepared as ``key`` says, if they are there and intact.

        Args:
            key: As `sakd.data.preparation_key` gives it.
            read: Makes images of a split's tensors.
        """
        try:
            card = DataCard.from_json(json.loads((self._root / "card.json").read_text()))
            if card.key != key:
                return None
            found = {**self.development, **self.test}
            train, val, test = (read(found[name]()) for name in ("train", "val", "test"))
        except (OSError, KeyError, ValueError):  # interrupted, damaged, or of another version
            return None
        intact = content_hash([train, val, test]) == card.sha256
        return Splits(train, val, test, card) if intact else None


def parts_in(folder: Path) -> dict[str, Callable[[], Mapping[str, Tensor]]]:
    """Give for each split in ``folder`` a function that reads it."""
    return {path.stem: partial(_read, path) for path in sorted(folder.glob("*.safetensors"))}


def _read(path: Path) -> Mapping[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path} is damaged ({error}): run --pipelines data_preparation") from error
