"""Fixed views: drawn once, one of them in each epoch; unvaried images have one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from sakd.data import Augment, Batch, BatchStream, ImageSet
from sakd.foundation.errors import UserError

Make = Callable[..., ImageSet]

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


@pytest.fixture
def images(make_images: Make) -> ImageSet:
    return make_images(per_class=10, classes=7)


def stream(images: ImageSet, seed: int = 3, **augment: bool | float) -> BatchStream:
    varied = Augment(**{"crop_padding": 2, "flip": True, **augment})
    return BatchStream(images, MEAN, STD, batch_size=16, seed=seed, augment=varied)


def in_order(batches: list[Batch]) -> tuple[torch.Tensor, torch.Tensor]:
    """Join the images of an epoch and their views, in order of index."""
    order = torch.cat([batch.index for batch in batches]).argsort()
    views = torch.cat([batch.view for batch in batches if batch.view is not None])
    return torch.cat([batch.images for batch in batches])[order], views[order]


def test_every_epoch_shows_one_of_the_views_of_each_image(images: ImageSet) -> None:
    used = stream(images, views=3)
    table = torch.cat([batch.images for batch in used.views()])
    assert len(table) == used.fixed == 3 * len(images)
    for epoch in range(4):
        shown, views = in_order(list(used.epoch(epoch)))
        assert torch.equal(views % len(images), torch.arange(len(images)))
        assert torch.equal(shown, table[views])


def test_the_choice_varies_from_epoch_to_epoch_and_leaves_no_view_out(images: ImageSet) -> None:
    used = stream(images, views=3)
    chosen = torch.stack([in_order(list(used.epoch(epoch)))[1] for epoch in range(30)])
    assert all((chosen[:, image].unique().numel() == 3) for image in range(len(images)))
    assert not torch.equal(chosen[0], chosen[1])


def test_views_and_choices_are_a_function_of_seed_and_epoch(images: ImageSet) -> None:
    used = stream(images, views=2)
    for epoch in range(3):
        list(used.epoch(epoch))
    direct, after = in_order(list(stream(images, views=2).epoch(3))), in_order(list(used.epoch(3)))
    assert all(torch.equal(one, other) for one, other in zip(direct, after, strict=True))
    tables = [next(stream(images, seed, views=2).views()).images for seed in (3, 3, 4)]
    assert torch.equal(tables[0], tables[1])
    assert not torch.equal(tables[0], tables[2])


def test_all_views_come_with_the_labels_of_their_images(images: ImageSet) -> None:
    batches = list(stream(images, views=2).views())
    assert torch.equal(torch.cat([batch.index for batch in batches]), torch.arange(70).repeat(2))
    assert torch.equal(torch.cat([batch.labels for batch in batches]), images.labels.repeat(2))
    assert min(len(batch.labels) for batch in batches) > 1


def test_unvaried_images_have_one_view(images: ImageSet) -> None:
    plain = {"crop_padding": 0, "flip": False}
    used = stream(images, **plain)
    shown, views = in_order(list(used.epoch(5)))
    assert torch.equal(views, torch.arange(len(images)))
    assert torch.equal(shown, torch.cat([batch.images for batch in used.views()]))
    named = stream(images, **plain, views=1)
    for one, other in zip(used.epoch(5), named.epoch(5), strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.index, other.index)


@pytest.mark.parametrize("change", [{"flip": True}, {"cutout": 2}, {"mixup": 1.0}, {"cutmix": 1.0}])
def test_views_that_are_drawn_afresh_are_not_counted(
    images: ImageSet, change: dict[str, bool | float]
) -> None:
    used = stream(images, **{"crop_padding": 0, "flip": False, **change})
    assert used.fixed == images.fixed(used.augment) == 0
    assert list(used.views()) == []
    assert next(used.epoch(0)).view is None


@pytest.mark.parametrize("change", [{"cutout": 2}, {"mixup": 1.0}, {"cutmix": 1.0}])
def test_fixed_views_that_change_in_every_step_are_refused(change: dict[str, float]) -> None:
    (name,) = change
    with pytest.raises(UserError, match=f"views 2: {name}"):
        Augment(views=2, **change)


def test_fixed_views_of_streamed_images_are_refused() -> None:
    with pytest.raises(UserError, match="views 2: streamed"):
        Augment(views=2).check(streamed=True)
