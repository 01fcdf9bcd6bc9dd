import json

import pytest
import torch

from sakd.data import DataCard, ImageSet
from sakd.data.batches.images import content_hash
from sakd.foundation.errors import UserError

CARD = DataCard(
    name="pets",
    classes=("ant", "bee"),
    channels=3,
    height=8,
    width=9,
    mean=(0.1, 0.2, 0.3),
    std=(0.4, 0.5, 0.6),
    counts={"train": (3, 4), "val": (1, 1), "test": (2, 2)},
    source="here",
    key="ee",
    sha256="00ff",
)


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


def test_a_card_is_the_same_after_json() -> None:
    assert DataCard.from_json(json.loads(json.dumps(CARD.to_json()))) == CARD


@pytest.mark.parametrize("change", [{"colour": 1}, {"sha256": None}])
def test_a_card_with_other_entries_is_refused_with_the_remedy(change) -> None:
    card = {key: value for key, value in (CARD.to_json() | change).items() if value is not None}
    with pytest.raises(UserError, match=f"{next(iter(change))}; prepare the data again"):
        DataCard.from_json(card)


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
