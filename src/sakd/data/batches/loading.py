"""Picture files decoded in worker processes, batch by batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from sakd.data.pictures.conversion import as_tensor
from sakd.data.pictures.every import reason
from sakd.data.pictures.form import read_header
from sakd.data.pictures.stored import FORMATS
from sakd.foundation.errors import UserError
from sakd.foundation.files import openable
from sakd.foundation.randomness import mix, reseed

Read = Callable[[Image.Image], Image.Image]
"""From an opened picture to one in RGB."""

Transform = Callable[[Image.Image], Tensor]
"""From a picture in RGB to pixels (3, H, W) uint8; may draw from torch's random state."""


def decoders(workers: int | None) -> int:
    """Count the processes that decode: ``workers``, or one per core for None."""
    return os.cpu_count() or 1 if workers is None else workers


@dataclass(frozen=True)
class Loader:
    """Reads picture files; the pixels do not depend on the number of workers.

    Attributes:
        root: The folder that ``paths`` are relative to.
        paths: N files.
        workers: Processes that decode; 0 decodes in this one.
    """

    root: Path
    paths: Sequence[str]
    workers: int

    def batches(
        self,
        rows: Sequence[Tensor],
        read: Read,
        device: torch.device | str,
        *,
        transform: Transform = as_tensor,
        seed: int = 0,
    ) -> Iterator[Tensor]:
        """Yield the pictures at ``rows``, batch by batch: (B, 3, H, W) uint8.

        Args:
            rows: The positions in each batch, (B,) int64.
            read: Converts an opened picture.
            device: Where the batches are put.
            transform: Makes pixels of one size of every picture.
            seed: Each picture is transformed with a seed mixed of this and its position.

        Raises:
            UserError: A file cannot be read.
        """
        loader = DataLoader(
            _Decoded(self, read, transform, seed),
            batch_sampler=[batch.tolist() for batch in rows],
            num_workers=self.workers,
            pin_memory=torch.device(device).type == "cuda",
            collate_fn=_together,
            generator=torch.Generator().manual_seed(0),  # torch's global state stays as it is
        )
        for pixels in loader:
            if isinstance(pixels, _Unreadable):
                found = f"{pixels.path} cannot be used ({pixels.why})"
                raise UserError(f"{found}; replace or remove it")
            yield pixels.to(device, non_blocking=True)


class _Unreadable(NamedTuple):
    """An unreadable picture, returned as a value: a worker's exception loses its message."""

    path: Path
    why: str


class _Decoded(Dataset["Tensor | _Unreadable"]):
    """The pictures behind positions, transformed."""

    def __init__(self, loader: Loader, read: Read, transform: Transform, seed: int) -> None:
        self.loader, self.read, self.transform, self.seed = loader, read, transform, seed

    def __getitem__(self, row: int) -> Tensor | _Unreadable:
        path = self.loader.root / self.loader.paths[row]
        try:
            picture = self._read(path)
        except Exception as error:  # broken bytes fail in as many ways as there are decoders
            return _Unreadable(path, reason(error))
        with torch.random.fork_rng(devices=()):
            reseed(mix(self.seed, row), torch.device("cpu"))
            return self.transform(picture)

    def _read(self, path: Path) -> Image.Image:
        with Image.open(openable(path), formats=FORMATS) as picture:
            read_header(picture)
            converted = self.read(picture)
            converted.load()
        return converted


def _together(items: list[Tensor | _Unreadable]) -> Tensor | _Unreadable:
    for item in items:
        if isinstance(item, _Unreadable):
            return item
    batch: Tensor = default_collate(items)
    return batch
