"""Wrong labels: as many as said, any of the other classes, by the seed alone."""

from __future__ import annotations

import pytest
import torch

from sakd.data import ImageSet, mislabelled

CLASSES = 4
IMAGES = ImageSet(torch.zeros(2000, 1, 1, 1, dtype=torch.uint8), torch.arange(2000) % CLASSES)


@pytest.mark.parametrize(("share", "number"), [(0.0, 0), (0.25, 500), (0.3337, 667), (0.999, 1998)])
def test_exactly_the_share_of_the_labels_is_wrong(share: float, number: int) -> None:
    noisy = mislabelled(IMAGES, share, CLASSES, seed=3)
    assert int((noisy.labels != IMAGES.labels).sum()) == number
    assert noisy.images is IMAGES.images
    assert IMAGES.labels.tolist() == [k % CLASSES for k in range(2000)]


def test_every_other_class_is_as_likely() -> None:
    noisy = mislabelled(IMAGES, 0.75, CLASSES, seed=0)
    wrong = noisy.labels != IMAGES.labels
    shift = (noisy.labels - IMAGES.labels)[wrong] % CLASSES
    counts = shift.bincount(minlength=CLASSES).tolist()
    assert counts[0] == 0
    assert all(abs(count - 500) < 5 * 500**0.5 for count in counts[1:])


def test_the_wrong_labels_depend_on_the_seed_and_grow_with_the_share() -> None:
    few, many = (mislabelled(IMAGES, share, CLASSES, 1).labels for share in (0.1, 0.4))
    wrong = few != IMAGES.labels
    assert torch.equal(few[wrong], many[wrong])
    assert not torch.equal(few, mislabelled(IMAGES, 0.1, CLASSES, 2).labels)
