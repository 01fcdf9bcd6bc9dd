"""ImageNet, or other images in its layout."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from sakd.data.sources.benchmark import StatisticsChoice
from sakd.data.sources.folder import Folder
from sakd.data.sources.raw import RawData
from sakd.data.sources.split_names import SplitNames

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Imagenet(Folder):
    """ImageNet, the images of the challenge ILSVRC, in folders: train/ID/*.JPEG, val/ID/*.JPEG.

    Russakovsky et al., IJCV 2015, arXiv:1409.0575. As the labels of its test images are not public,
    ``val`` is the test split, as in the papers, and validation images are split off from train.

    Attributes:
        statistics: By which mean and standard deviation images are normalised: the ``published``
            ones, which torchvision's pretrained networks expect, or the images' ``own``.
    """

    name: ClassVar[str] = "imagenet"
    layout: ClassVar[str] = (
        "allowed: one with train/ID/*.JPEG and val/ID/*.JPEG, a folder per class"
    )
    split_names: ClassVar[SplitNames] = {
        "train": ("train",),
        "test": ("val", "valid", "validation"),
    }

    statistics: StatisticsChoice = "published"

    @property
    def slug(self) -> str:
        """The name."""
        return self.name

    def read(self) -> RawData:
        """Read the images, as `Folder.read` does.

        Raises:
            UserError: As `check`, or an image cannot be used.
        """
        raw = super().read()
        return raw if self.statistics == "own" else replace(raw, mean=MEAN, std=STD)
