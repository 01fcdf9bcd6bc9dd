"""Prepared splits on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from torch import Tensor

from sakd.data.batches.images import Images, content_hash
from sakd.data.splits.data_card import DataCard, Splits
from sakd.foundation.errors import require
from sakd.foundation.sealing import read_sealed
from sakd.foundation.tensors import load_tensors, save_tensors

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
        """The training and validation images, and those set aside."""
        return parts_in(self._root / "development")

    @property
    def test(self) -> Parts:
        """The test images."""
        return parts_in(self._root / "test")

    def write(self, splits: Splits) -> None:
        """Write the images; their card is for the caller to write, once they are all there."""
        (self._root / "development" / "aside.safetensors").unlink(missing_ok=True)
        for name, part in splits.parts.items():
            folder = "test" if name == "test" else "development"
            save_tensors(part.tensors(), self._root / folder / f"{name}.safetensors")

    @property
    def card(self) -> DataCard | None:
        """The card of the splits; None if there is none, or it is damaged or of another version."""
        try:
            return DataCard.from_json(read_sealed(self._root / "card.json"))
        except (OSError, ValueError):
            return None

    def check_origin(self, origin: str) -> None:
        """Check that the folder does not keep splits of images that lie elsewhere.

        Args:
            origin: See `Dataset.origin`.

        Raises:
            UserError: It does, and they would be overwritten.
        """
        card = self.card
        found = f"{self._root} keeps data that was prepared from another folder than data.path"
        remedy = "delete it, or keep both by another data_root (globals.yml of an environment)"
        require(card is None or card.origin == origin, f"{found}; {remedy}")

    def matching(self, key: str, read: Callable[[Mapping[str, Tensor]], Images]) -> Splits | None:
        """Read the splits that were prepared as ``key`` says, if they are there and intact.

        Args:
            key: As `sakd.data.preparation_key` gives it.
            read: Makes images of a split's tensors.
        """
        card = self.card
        if card is None or card.key != key:
            return None
        try:
            found = {**self.development, **self.test}
            train, val, test = (read(found[name]()) for name in ("train", "val", "test"))
            aside = read(found["aside"]()) if "aside" in card.counts else None
        except (OSError, KeyError, ValueError):  # interrupted or damaged
            return None
        splits = Splits(train, val, test, card, aside)
        return splits if content_hash(splits.parts.values()) == card.sha256 else None


def parts_in(folder: Path) -> dict[str, Callable[[], Mapping[str, Tensor]]]:
    """Give for each split in ``folder`` a function that reads it."""
    remedy = "run --pipelines data_preparation"
    return {
        path.stem: partial(load_tensors, path, remedy)
        for path in sorted(folder.glob("*.safetensors"))
    }
