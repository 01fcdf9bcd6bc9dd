"""Images too many for memory: files that workers decode when they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from sakd.data.augment import Augment, Views
from sakd.data.seeding import mix
from sakd.errors import require

MAGNITUDE = 9  # of RandAugment, torchvision's default
SHORTER = 8 / 7  # the shorter side of an image to that of its crop: 256 to 224


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """N image files with their labels.

    Training sees random resized crops (Szegedy et al., CVPR 2015, arXiv:1409.4842: area 8 to 100 %,
    aspect 3/4 to 4/3); evaluation the middle of an image whose shorter side is 8/7 of the crop's.
    Every image is read as RGB.

    Attributes:
        root: the folder that ``paths`` are relative to.
        paths: N files.
        labels: (N,) int64, counted from 0.
        side: of the crop that networks see, in pixels.
        workers: processes that decode; 0 decodes in this one.
    """

    root: Path
    paths: tuple[str, ...]
    labels: Tensor
    side: int
    workers: int = 0

    def __post_init__(self) -> None:
        """Refuse sizes that are none."""
        require(self.side >= 1, f"side must be 1 pixel or more, got {self.side}")
        require(self.workers >= 0, f"workers must be 0 or more, got {self.workers}")

    def __len__(self) -> int:
        """Count the images."""
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of what networks see."""
        return 3, self.side, self.side

    def subset(self, index: Tensor) -> Self:
        """Take the images at ``index``, (n,) int64 positions, in that order."""
        paths = tuple(self.paths[row] for row in index.tolist())
        return replace(self, paths=paths, labels=self.labels[index])

    def to(self, device: torch.device | str) -> Self:
        """Stay: files are on no device."""
        del device
        return self

    def views(self, augment: Augment, device: torch.device | str) -> Views:
        """Make training views of the images on ``device``.

        Raises:
            UserError: crops are asked for that are made in memory only.
        """
        require(
            augment.crop_padding == 0,
            f"crop_padding {augment.crop_padding}: streamed images are cropped at random sizes "
            "instead; set it to 0",
        )
        return FileViews(self, augment, device)

    def as_they_are(self, batch_size: int, device: torch.device | str) -> Iterator[Tensor]:
        """Yield the middle of every image, in order, (B, 3, side, side) uint8 on ``device``."""
        size = round(self.side * SHORTER)
        still = v2.Compose([v2.Resize(size, antialias=True), v2.CenterCrop(self.side)])
        rows = torch.split(torch.arange(len(self)), batch_size)
        return _load(self, still, rows, device, seed=0)


class FileViews:
    """Random resized crops, mirrored or not, of image files; see `sakd.data.augment.Views`."""

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
        self, order: Tensor, draws: torch.Generator, *, batch_size: int, start: int
    ) -> Iterator[Tensor]:
        """Yield the batches from step ``start`` on; every image has a seed of its own."""
        rows = torch.split(order, batch_size)[start:]
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
        generator=torch.Generator().manual_seed(0),  # or it would draw from torch's global state
    )
    for pixels in loader:
        yield pixels.to(device, non_blocking=True)


class _Decoded(Dataset[Tensor]):
    """The images behind positions, transformed."""

    def __init__(self, files: ImageFiles, transform: v2.Transform, seed: int) -> None:
        self.files, self.transform, self.seed = files, transform, seed

    def __getitem__(self, row: int) -> Tensor:
        pixels = v2.functional.pil_to_tensor(self._read(self.files.root / self.files.paths[row]))
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(mix(self.seed, row))
            varied: Tensor = self.transform(pixels)
        return varied

    def _read(self, path: Path) -> Image.Image:
        with Image.open(path) as image:
            return image.convert("RGB")
