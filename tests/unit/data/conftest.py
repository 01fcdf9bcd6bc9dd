"""Small datasets to test with, made here: nothing is read that a test did not write."""

from collections.abc import Callable

import pytest
import torch

from sakd.data import ImageSet, RawData

Make = Callable[..., ImageSet]


@pytest.fixture
def make_images() -> Make:
    """Give a maker of random images, ``per_class`` of each class, in shuffled order."""

    def make(per_class: int = 20, classes: int = 4, size: int = 8, seed: int = 0) -> ImageSet:
        source = torch.Generator().manual_seed(seed)
        labels = torch.arange(classes).repeat(per_class)
        labels = labels[torch.randperm(len(labels), generator=source)]
        shape = (len(labels), 3, size, size)
        images = torch.randint(256, shape, dtype=torch.uint8, generator=source)
        return ImageSet(images, labels)

    return make


@pytest.fixture
def raw(make_images: Make) -> RawData:
    """80 images of four classes, without test images."""
    return RawData(make_images(), None, ("ant", "bee", "cat", "dog"), "made for the test")
