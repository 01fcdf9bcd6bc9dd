"""Crops of pictures that are decoded when they are used: random ones, and their middle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torchvision.transforms import v2

from sakd.data.batches.augment import Augment
from sakd.data.batches.loading import Loader, Transform

MAGNITUDE = 9  # of RandAugment, torchvision's default
SHORTER = 8 / 7  # the shorter side of a picture to that of its crop: 256 to 224
STRIP = 8  # of a picture longer than so many times its shorter side, the ends are not looked at


class CropViews:
    """Random resized crops, mirrored or not; see `sakd.data.batches.augment.Views`.

    Szegedy et al., CVPR 2015, arXiv:1409.4842: area 8 to 100 %, aspect 3/4 to 4/3.
    """

    def __init__(
        self, loader: Loader, side: int, augment: Augment, device: torch.device | str
    ) -> None:
        """Crop what ``loader`` reads to (side, side) pixels and vary it as ``augment`` says."""
        steps: list[v2.Transform] = [v2.PILToTensor(), v2.RandomResizedCrop(side, antialias=True)]
        if augment.flip:
            steps.append(v2.RandomHorizontalFlip())
        if augment.rand_augment:
            steps.append(v2.RandAugment(augment.rand_augment, MAGNITUDE))
        self._loader, self._device = loader, device
        self._transform = v2.Compose(steps)

    def epoch(
        self, order: Tensor, draws: torch.Generator, sizes: Sequence[int]
    ) -> Iterator[Tensor]:
        """Yield the batches, see `Views.epoch`; every picture has a seed of its own."""
        rows = torch.split(order, list(sizes))
        seed = draws.initial_seed()
        yield from self._loader.batches(rows, self._transform, self._device, seed=seed)


def middle(side: int) -> Transform:
    """Make a transform to the middle (3, side, side) of a picture, 7/8 of its shorter side."""
    steps = [v2.PILToTensor(), v2.Lambda(_without_ends), v2.Resize(round(side * SHORTER))]
    centred: Transform = v2.Compose([*steps, v2.CenterCrop(side)])
    return centred


def _without_ends(pixels: Tensor) -> Tensor:
    """The middle of a strip: made large enough for its shorter side, it would fill the memory."""
    longest = STRIP * min(pixels.shape[1:])
    sides = [min(side, longest) for side in pixels.shape[1:]]
    cropped: Tensor = v2.functional.center_crop(pixels, sides)
    return cropped
