"""Images in memory: what they accept, and what their hash depends on."""

from __future__ import annotations

import pytest
import torch

from sakd.data import ImageSet
from sakd.data.batches.images import content_hash


def test_a_subset_holds_the_named_images_in_the_named_order(make_images) -> None:
    images = make_images()
    index = torch.tensor([5, 2])
    subset = images.subset(index)
    assert len(subset) == 2
    assert subset.shape == (3, 8, 8)
    assert torch.equal(subset.images[1], images.images[2])
    assert subset.labels.tolist() == images.labels[index].tolist()


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (torch.zeros(2, 8, 8, dtype=torch.uint8), torch.zeros(2).long(), "images must be"),
        (torch.zeros(2, 1, 8, 8), torch.zeros(2).long(), "torch.float32"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.zeros(3).long(), r"labels .*\(2,\)"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.zeros(2), "torch.int64"),
    ],
)
def test_an_image_set_refuses_other_shapes_and_types(images, labels, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageSet(images, labels)


def test_the_content_hash_depends_on_each_pixel_label_and_shape(make_images) -> None:
    first = make_images()
    pixels, labels = first.images.clone(), first.labels.clone()
    pixels[3, 1, 2, 2] ^= 1
    labels[7] += 1
    reshaped = first.images.view(len(first), 3, 4, 16)
    others = [
        ImageSet(pixels, first.labels),
        ImageSet(first.images, labels),
        ImageSet(reshaped, first.labels),
    ]
    hashes = {content_hash([images]) for images in [first, *others]}
    assert len(hashes) == 4
    assert content_hash([first]) == content_hash([make_images()])
