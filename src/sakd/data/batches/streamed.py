"""Images too many for memory: an index of files, which are decoded when they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from sakd.data.batches.augment import Augment, Views
from sakd.data.batches.crops import CropViews
from sakd.data.batches.loading import Loader
from sakd.data.batches.normalise import ChannelStatistics, channel_statistics
from sakd.data.pictures.conversion import convert
from sakd.data.pictures.decoding import digest_pixels
from sakd.data.pictures.every import Fault
from sakd.data.pictures.form import Form, Tones, streamed_form
from sakd.data.pictures.stored import Files
from sakd.foundation.errors import require

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

SAMPLE = 1000  # images that statistics are computed from
SEPARATOR = "\0"  # between paths, none of which can contain it


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """N image files with their labels.

    Training sees random resized crops, see `sakd.data.batches.crops`; evaluation sees every image
    by the rules of `sakd.data.pictures.conversion.convert`.

    Attributes:
        root: The folder that ``paths`` are relative to.
        paths: N files.
        labels: (N,) int64, counted from 0.
        content: (N, 16) uint8, a digest of the pixels of each.
        form: The form that they are converted to.
        workers: Processes that decode; 0 decodes in this one.

    Raises:
        UserError: ``workers`` is below 0.
    """

    root: Path
    paths: tuple[str, ...]
    labels: Tensor
    content: Tensor
    form: Form
    workers: int = 0

    def __post_init__(self) -> None:
        """Check the number of workers."""
        require(self.workers >= 0, f"workers must be 0 or more, got {self.workers}")

    @classmethod
    def examine(
        cls, paths: Sequence[Path], labels: Tensor, *, root: Path, form: Form, split: str
    ) -> tuple[Self, list[Fault]]:
        """Decode every file once, so that unreadable files and duplicates are found now.

        Args:
            paths: N files below ``root``.
            labels: (N,) int64, counted from 0.
            root: The folder of the files.
            form: The form that they are converted to.
            split: Which split they are, for the progress.

        Returns:
            All images, and the faults of those that cannot be used.
        """
        top = f"{root.as_posix()}/"
        listed = tuple(path.as_posix().removeprefix(top) for path in paths)
        content, faults = digest_pixels(Files(paths), form.channels, form.tones, split)
        return cls(root, listed, labels, content, form), faults

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], root: Path, workers: int) -> Self:
        """Read back the result of `tensors`."""
        text = tensors["paths"].numpy().tobytes().decode(errors="surrogateescape")
        paths = tuple(text.split(SEPARATOR))
        form = streamed_form(int(tensors["side"]), Tones(*tensors["tones"].tolist()))
        return cls(root, paths, tensors["labels"], tensors["content"], form, workers)

    def __len__(self) -> int:
        """Count the images."""
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape (C, H, W) of an image as networks see it."""
        return self.form.channels, self.form.height, self.form.width

    def subset(self, index: Tensor) -> Self:
        """Take the images at ``index``, (n,) int64 positions, in that order."""
        paths = tuple(self.paths[row] for row in index.tolist())
        return replace(self, paths=paths, labels=self.labels[index], content=self.content[index])

    def relabelled(self, labels: Tensor) -> Self:
        """Give the images other labels, (N,) int64."""
        return replace(self, labels=labels)

    def to(self, device: torch.device | str) -> Self:
        """Return the same images: files stay where they are."""
        del device
        return self

    def fixed(self, augment: Augment) -> int:
        """Give 0: there is no end of random crops."""
        del augment
        return 0

    def views(self, augment: Augment, device: torch.device | str, seed: int) -> Views:
        """Make training views of the images on ``device``, seeded by each epoch alone.

        Raises:
            UserError: ``augment`` asks for crops that are made in memory only.
        """
        del seed
        augment.check(streamed=True)
        return CropViews(self._loader, self.form, augment, device)

    def as_they_are(self, batch_size: int, device: torch.device | str) -> Iterator[Tensor]:
        """Yield the middle of every image, in order, (B, C, H, W) uint8 on ``device``."""
        rows = torch.split(torch.arange(len(self)), batch_size)
        return self._loader.batches(rows, partial(convert, form=self.form), device)

    def digests(self) -> list[bytes]:
        """Give the digests in ``content``."""
        return [row.tobytes() for row in self.content.numpy()]

    def feed(self, digest: Digest) -> None:
        """Update ``digest`` with size, content and labels; where the files lie does not count."""
        digest.update(f"{len(self)} {self.form.height}".encode())
        digest.update(self.content.contiguous().numpy().data)
        digest.update(self.labels.contiguous().numpy().data)

    def statistics(self) -> ChannelStatistics:
        """Compute mean and standard deviation of the middles of the first 1,000 images."""
        first = self.subset(torch.arange(min(SAMPLE, len(self))))
        return channel_statistics(torch.cat(list(first.as_they_are(SAMPLE // 10, "cpu"))))

    def tensors(self) -> dict[str, Tensor]:
        """Give the tensors to write: an index without pixels."""
        text = SEPARATOR.join(self.paths).encode(errors="surrogateescape")
        return {
            "paths": torch.frombuffer(bytearray(text), dtype=torch.uint8),
            "content": self.content.contiguous(),
            "labels": self.labels.contiguous(),
            "side": torch.tensor(self.form.height),
            "tones": torch.tensor(self.form.tones),
        }

    @property
    def _loader(self) -> Loader:
        return Loader(self.root, self.paths, self.workers)
