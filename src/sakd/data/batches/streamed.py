"""Images too many for memory: files that workers decode when they are needed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate
from torchvision.transforms import v2

from sakd.data.batches.augment import Augment, Views
from sakd.data.batches.images import Statistics
from sakd.data.batches.normalise import channel_statistics
from sakd.data.pictures.conversion import read_header, recolour
from sakd.data.pictures.decoding import FORMATS, Files, digest_pixels, reason
from sakd.foundation.errors import UserError, require
from sakd.foundation.randomness import mix

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

MAGNITUDE = 9  # of RandAugment, torchvision's default
SHORTER = 8 / 7  # the shorter side of an image to that of its crop: 256 to 224
SAMPLE = 1000  # images that statistics are computed of
STRIP = 8  # of an image longer than so many times its shorter side, the ends are not looked at
CHANNELS = 3
SEPARATOR = "\0"  # of paths, which cannot have one


def decoders(workers: int | None) -> int:
    """How many processes decode, where ``workers`` are asked for; None is one per core."""
    return os.cpu_count() or 1 if workers is None else workers


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """N image files with their labels.

    Recipe sees random resized crops (Szegedy et al., CVPR 2015, arXiv:1409.4842: area 8 to 100 %,
    aspect 3/4 to 4/3); evaluation the middle of an image whose shorter side is 8/7 of the crop's.
    Every image is read as RGB, by the rules of `sakd.data.pictures.conversion.recolour`.

    Attributes:
        root: the folder that ``paths`` are relative to.
        paths: N files.
        labels: (N,) int64, counted from 0.
        content: (N, 16) uint8, a digest of the pixels of each.
        side: of the crop that networks see, in pixels.
        workers: processes that decode; 0 decodes in this one.
    """

    root: Path
    paths: tuple[str, ...]
    labels: Tensor
    content: Tensor
    side: int
    workers: int = 0

    def __post_init__(self) -> None:
        """Refuse sizes that are none."""
        require(self.side >= 1, f"side must be 1 pixel or more, got {self.side}")
        require(self.workers >= 0, f"workers must be 0 or more, got {self.workers}")

    @classmethod
    def examine(
        cls, paths: Sequence[Path], labels: Tensor, *, root: Path, side: int, split: str
    ) -> Self:
        """Decode every file once: what is no image is found now, and what is there twice.

        Args:
            paths: N files below ``root``.
            labels: (N,) int64, counted from 0.
            root: their folder.
            side: of the crop that networks see, in pixels.
            split: what they are, for the progress.

        Raises:
            UserError: A file is unreadable or of an absurd size; says which and how many.
        """
        top = f"{root.as_posix()}/"
        listed = tuple(path.as_posix().removeprefix(top) for path in paths)
        return cls(root, listed, labels, digest_pixels(Files(paths), CHANNELS, split), side)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], root: Path, workers: int) -> Self:
        """Read back what `tensors` gave."""
        text = tensors["paths"].numpy().tobytes().decode(errors="surrogateescape")
        paths = tuple(text.split(SEPARATOR))
        labels, content = tensors["labels"], tensors["content"]
        return cls(root, paths, labels, content, int(tensors["side"]), workers)

    def __len__(self) -> int:
        """Count the images."""
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of what networks see."""
        return CHANNELS, self.side, self.side

    def subset(self, index: Tensor) -> Self:
        """Take the images at ``index``, (n,) int64 positions, in that order."""
        paths = tuple(self.paths[row] for row in index.tolist())
        return replace(self, paths=paths, labels=self.labels[index], content=self.content[index])

    def to(self, device: torch.device | str) -> Self:
        """Stay: files are on no device."""
        del device
        return self

    def views(self, augment: Augment, device: torch.device | str) -> Views:
        """Make training views of the images on ``device``.

        Raises:
            UserError: crops are asked for that are made in memory only.
        """
        augment.check(streamed=True)
        return FileViews(self, augment, device)

    def as_they_are(self, batch_size: int, device: torch.device | str) -> Iterator[Tensor]:
        """Yield the middle of every image, in order, (B, 3, side, side) uint8 on ``device``."""
        size = round(self.side * SHORTER)
        steps = [v2.Lambda(_without_ends), v2.Resize(size, antialias=True)]
        still = v2.Compose([*steps, v2.CenterCrop(self.side)])
        rows = torch.split(torch.arange(len(self)), batch_size)
        return _load(self, still, rows, device, seed=0)

    def digests(self) -> list[bytes]:
        """Give those of ``content``."""
        return [row.tobytes() for row in self.content.numpy()]

    def feed(self, digest: Digest) -> None:
        """Give ``digest`` the side, content and labels: wherever the files lie, they are these."""
        digest.update(f"{len(self)} {self.side}".encode())
        digest.update(self.content.contiguous().numpy().data)
        digest.update(self.labels.contiguous().numpy().data)

    def statistics(self) -> Statistics:
        """Compute them of the middles of the first 1,000 images."""
        first = self.subset(torch.arange(min(SAMPLE, len(self))))
        return channel_statistics(torch.cat(list(first.as_they_are(SAMPLE // 10, "cpu"))))

    def tensors(self) -> dict[str, Tensor]:
        """Give what `sakd.data.batches.prepared` writes: an index, no pixels."""
        text = SEPARATOR.join(self.paths).encode(errors="surrogateescape")
        return {
            "paths": torch.frombuffer(bytearray(text), dtype=torch.uint8),
            "content": self.content.contiguous(),
            "labels": self.labels.contiguous(),
            "side": torch.tensor(self.side),
        }


class FileViews:
    """Random resized crops of image files, mirrored or not; see `Views`."""

    def __init__(self, files: ImageFiles, augment: Augment, device: torch.device | str) -> None:
        """Vary ``files`` as ``augment`` says."""
        steps: list[v2.Transform] = [v2.RandomResizedCrop(files.side, antialias=True)]
        if augment.flip:
            steps.append(v2.RandomHorizontalFlip())
        if augment.rand_augment:
            steps.append(v2.RandAugment(augment.rand_augment, MAGNITUDE))
        self._files, self._device = files, device
        self._transform = v2.Compose(steps)

    def epoch(
        self, order: Tensor, draws: torch.Generator, sizes: Sequence[int]
    ) -> Iterator[Tensor]:
        """Yield the batches, see `Views.epoch`; every image has a seed of its own."""
        rows = torch.split(order, list(sizes))
        return _load(self._files, self._transform, rows, self._device, seed=draws.initial_seed())


def _load(
    files: ImageFiles,
    transform: v2.Transform,
    batches: Sequence[Tensor],
    device: torch.device | str,
    *,
    seed: int,
) -> Iterator[Tensor]:
    """Decode ``batches`` of positions; the same pixels whatever the number of workers."""
    loader = DataLoader(
        _Decoded(files, transform, seed),
        batch_sampler=[rows.tolist() for rows in batches],
        num_workers=files.workers,
        pin_memory=torch.device(device).type == "cuda",
        collate_fn=_together,
        generator=torch.Generator().manual_seed(0),  # or it would draw from torch's global state
    )
    for pixels in loader:
        if isinstance(pixels, _Unreadable):
            raise UserError(f"{pixels.path} cannot be used ({pixels.why}); replace or remove it")
        yield pixels.to(device, non_blocking=True)


class _Unreadable(NamedTuple):
    """An image that is none; as a value, since an error in a worker comes back as its traceback."""

    path: Path
    why: str


def _together(items: list[Tensor | _Unreadable]) -> Tensor | _Unreadable:
    for item in items:
        if isinstance(item, _Unreadable):
            return item
    batch: Tensor = default_collate(items)
    return batch


class _Decoded(Dataset["Tensor | _Unreadable"]):
    """The images behind positions, transformed."""

    def __init__(self, files: ImageFiles, transform: v2.Transform, seed: int) -> None:
        self.files, self.transform, self.seed = files, transform, seed

    def __getitem__(self, row: int) -> Tensor | _Unreadable:
        path = self.files.root / self.files.paths[row]
        try:
            pixels = v2.functional.pil_to_tensor(_read(path))
        except Exception as error:  # broken bytes fail in as many ways as there are decoders
            return _Unreadable(path, reason(error))
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(mix(self.seed, row))
            varied: Tensor = self.transform(pixels)
        return varied


def _without_ends(pixels: Tensor) -> Tensor:
    """The middle of a strip: made large enough for its shorter side, it would fill the memory."""
    longest = STRIP * min(pixels.shape[1:])
    middle = [min(side, longest) for side in pixels.shape[1:]]
    cropped: Tensor = v2.functional.center_crop(pixels, middle)
    return cropped


def _read(path: Path) -> Image.Image:
    with Image.open(path, formats=FORMATS) as picture:
        read_header(picture)
        picture.load()
        return recolour(picture, CHANNELS)
