"""Random crops of pictures that are decoded when they are used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from sakd.data.batches.augment import Augment, Shown
from sakd.data.batches.loading import Loader
from sakd.data.pictures.conversion import recolour
from sakd.data.pictures.form import Form

MAGNITUDE = 9  # of RandAugment, torchvision's default


class CropViews:
    """Random resized crops, mirrored or not; see `sakd.data.batches.augment.Views`.

    Szegedy et al., CVPR 2015, arXiv:1409.4842: area 8 to 100 %, aspect 3/4 to 4/3.
    """

    def __init__(
        self, loader: Loader, form: Form, augment: Augment, device: torch.device | str
    ) -> None:
        """Crop what ``loader`` reads to the size of ``form`` and vary it as ``augment`` says."""
        from torchvision.transforms import v2  # noqa: PLC0415 - seconds to import

        size = (form.height, form.width)
        steps: list[v2.Transform] = [v2.PILToTensor(), v2.RandomResizedCrop(size, antialias=True)]
        if augment.flip:
            steps.append(v2.RandomHorizontalFlip())
        if augment.rand_augment:
            steps.append(v2.RandAugment(augment.rand_augment, MAGNITUDE))
        self._loader, self._device = loader, device
        self._read = partial(recolour, channels=form.channels, tones=form.tones)
        self._transform = v2.Compose(steps)

    def epoch(
        self, order: Tensor, draws: torch.Generator, sizes: Sequence[int], start: int
    ) -> Iterator[Shown]:
        """Yield the batches, see `Views.epoch`; every picture has a seed of its own."""
        rows = torch.split(order, list(sizes))[start:]
        batches = self._loader.batches(
            rows, self._read, self._device, transform=self._transform, seed=draws.initial_seed()
        )
        return map(Shown, batches)
