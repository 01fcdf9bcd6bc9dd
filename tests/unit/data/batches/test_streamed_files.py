"""Batches of images that are decoded when they are used."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from sakd.data import Augment, Batch, BatchStream, evaluation_batches
from sakd.data.batches.streamed import ImageFiles
from sakd.data.pictures.conversion import convert
from sakd.data.pictures.form import streamed_form
from sakd.foundation.errors import UserError

MEAN, STD, SIDE = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25), 14


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ImageFiles:
    """Twelve pictures of many sizes, grey and in colour, of three classes."""
    root = tmp_path_factory.mktemp("pictures")
    dice = np.random.default_rng(0)
    paths = []
    for number in range(12):
        height, width = dice.integers(16, 40, 2)
        shape = (height, width, 3) if number % 4 else (height, width)
        path = root / f"{number}.png"
        Image.fromarray(dice.integers(0, 256, shape, dtype=np.uint8)).save(path)
        paths.append(path.name)
    every, labels = [root / path for path in paths], torch.arange(12) % 3
    return ImageFiles.examine(every, labels, root=root, form=streamed_form(SIDE), split="train")[0]


def stream(files: ImageFiles, workers: int = 0, seed: int = 1, **augment: int) -> BatchStream:
    files = replace(files, workers=workers)
    varied = Augment(flip=True, **augment)
    return BatchStream(files, MEAN, STD, batch_size=5, seed=seed, augment=varied)


def same(a: Batch, b: Batch) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a[:3], b[:3], strict=True))


def test_an_epoch_holds_every_image_once(files: ImageFiles) -> None:
    batches = list(stream(files).epoch(0))
    assert [len(batch.labels) for batch in batches] == [5, 5, 2]
    assert all(batch.images.shape[1:] == (3, SIDE, SIDE) for batch in batches)
    index = torch.cat([batch.index for batch in batches])
    assert sorted(index.tolist()) == list(range(12))
    assert torch.equal(torch.cat([b.labels for b in batches]), files.labels[index])


def test_batches_are_the_same_whatever_the_workers_and_whatever_came_before(
    files: ImageFiles,
) -> None:
    torch.manual_seed(0)
    alone = list(stream(files, rand_augment=2).epoch(3))
    torch.manual_seed(1)
    with_workers = list(stream(files, workers=2, rand_augment=2).epoch(3))
    assert all(same(a, b) for a, b in zip(alone, with_workers, strict=True))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_begun_at_a_step_decodes_no_file_of_those_before(
    files: ImageFiles, workers: int, tmp_path: Path
) -> None:
    whole = list(stream(files, rand_augment=2).epoch(3))
    for path in files.paths:
        shutil.copy(files.root / path, tmp_path)
    left = replace(files, root=tmp_path)
    for row in torch.cat([batch.index for batch in whole[:2]]).tolist():
        (tmp_path / files.paths[row]).unlink()
    rest = list(stream(left, workers, rand_augment=2).epoch(3, start=2))
    assert all(same(a, b) for a, b in zip(rest, whole[2:], strict=True))


def test_images_set_aside_are_streamed_along(files: ImageFiles) -> None:
    train, aside = (files.subset(torch.arange(*ends)) for ends in ((0, 9), (9, 12)))
    options = {"batch_size": 5, "seed": 1, "augment": Augment(flip=True)}
    made = BatchStream(train, MEAN, STD, **options, aside=aside)
    batches, alone = list(made.epoch(1)), list(stream(train).epoch(1))
    assert all(same(*pair) for pair in zip(batches, alone, strict=True))
    asides = [batch.aside for batch in batches]
    assert [len(each.images) for each in asides] == [5, 4]
    index = torch.cat([each.index for each in asides])
    assert torch.equal(torch.cat([each.labels for each in asides]), aside.labels[index])
    again = [batch.aside for batch in made.epoch(1)]
    assert all(same(*pair) for pair in zip(asides, again, strict=True))


def test_a_stream_leaves_the_global_random_state_alone(files: ImageFiles) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    list(stream(files, rand_augment=1).epoch(0))
    list(evaluation_batches(files, MEAN, STD, batch_size=5))
    assert torch.equal(torch.get_rng_state(), before)


def test_epochs_seeds_and_images_differ_in_their_views(files: ImageFiles) -> None:
    twice = files.subset(torch.tensor([0, 0]))
    (one,) = stream(twice).epoch(0)
    assert not torch.equal(one.images[0], one.images[1])
    (other,) = stream(twice).epoch(1)
    (seeded,) = stream(twice, seed=2).epoch(0)
    assert not torch.equal(one.images, other.images)
    assert not torch.equal(one.images, seeded.images)


def test_evaluation_sees_every_image_in_order(files: ImageFiles) -> None:
    batches = list(evaluation_batches(files, MEAN, STD, batch_size=7))
    assert torch.equal(torch.cat([labels for _, labels in batches]), files.labels)
    normalise = v2.Normalize(MEAN, STD)
    for path, seen in zip(files.paths, torch.cat([x for x, _ in batches]), strict=True):
        with Image.open(files.root / path) as image:
            pixels = v2.functional.pil_to_tensor(convert(image, files.form))
        torch.testing.assert_close(seen, normalise(pixels / 255), rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(512, 384), (256, 3_000)])
def test_evaluation_sees_what_torchvision_resizes_to_256_and_crops_to_224(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    coarse = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(tmp_path / "0.png")
    paths, form = [tmp_path / "0.png"], streamed_form(224)
    labels = torch.tensor([0])
    files, _ = ImageFiles.examine(paths, labels, root=tmp_path, form=form, split="train")
    ((seen,),) = files.as_they_are(1, "cpu")
    usual = v2.Compose([v2.PILToTensor(), v2.Resize(256, antialias=True), v2.CenterCrop(224)])
    with Image.open(paths[0]) as image:
        difference = (seen.int() - usual(image).int()).abs()
    assert difference.max() <= 4
    assert difference.float().mean() < 1


def test_a_subset_holds_the_named_files_in_the_named_order(files: ImageFiles) -> None:
    part = files.subset(torch.tensor([4, 1]))
    assert part.paths == ("4.png", "1.png")
    assert part.labels.tolist() == [1, 1]
    assert len(part) == 2
    assert part.shape == (3, SIDE, SIDE)


def test_augmentation_of_the_other_kind_is_refused(files: ImageFiles, make_images) -> None:
    with pytest.raises(UserError, match=r"crop_padding 4: .*crop_padding .* to 0"):
        stream(files, crop_padding=4)
    with pytest.raises(UserError, match=r"rand_augment .*to 0, or"):
        make_images().views(Augment(rand_augment=2), "cpu", 0)
