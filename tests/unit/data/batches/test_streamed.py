"""An index is prepared of images that stay in their files, by the rules for all other images."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sakd.data import (
    DataCard,
    ImageFiles,
    Splits,
    Splitting,
    content_hash,
    evaluation_batches,
    from_tensors,
    labelled_subset,
    prepare,
)
from sakd.data.batches.normalise import channel_statistics
from sakd.data.pictures.form import streamed_form
from sakd.data.sources.folder import Folder
from sakd.data.sources.imagenet import Imagenet
from sakd.foundation.errors import UserError


def folder(top: Path, **options: object) -> Folder:
    return Folder(top, "files", size=8, streamed=True, workers=0, **options)


def prepared(top: Path) -> Splits:
    return prepare(folder(top).load(), Splitting(0.25, test_fraction=0.25), name="pets")


def copy_as(file: Path, other: Path) -> None:
    """Store the same pixels in the format that the name says."""
    with Image.open(file) as picture:
        picture.save(other, lossless=True)


def encoded(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


TRUNCATED = encoded(Image.effect_noise((40, 40), 50))[:400]
HUGE = encoded(Image.new("L", (30_000, 2)))


@pytest.fixture
def pets(tmp_path: Path, write_folder) -> Path:
    return write_folder(tmp_path / "pets", count=8)


def test_a_folder_is_read_once_and_stays_where_it_is(tmp_path: Path, write_folder) -> None:
    top = write_folder(tmp_path, splits="train val")
    raw = Folder(top, "files", streamed=True).load()
    assert isinstance(raw.train, ImageFiles)
    assert raw.train.paths[:2] == ("train/ant/0.png", "train/ant/1.png")
    assert raw.train.labels.tolist() == [0] * 4 + [1] * 4
    assert raw.train.shape == (3, 224, 224)
    assert raw.train.workers > 0
    assert raw.val is not None
    assert raw.test is None
    assert "streamed; statistics" in raw.source


def test_the_fingerprint_follows_names_sizes_and_times(pets: Path) -> None:
    before = folder(pets).fingerprint()
    assert replace(folder(pets), workers=3).fingerprint() == before
    assert replace(folder(pets), size=9).fingerprint() != before
    file = pets / "train" / "ant" / "0.png"
    seen = [before]
    file.write_bytes(b"?" * file.stat().st_size)
    seen.append(folder(pets).fingerprint())
    file.write_bytes(b"?")
    seen.append(folder(pets).fingerprint())
    file.rename(file.with_name("x.png"))
    seen.append(folder(pets).fingerprint())
    assert len(set(seen)) == 4


def test_splits_are_disjoint_stratified_and_the_same_wherever_the_folder_is(
    pets: Path, tmp_path: Path
) -> None:
    here = prepared(pets)
    assert here.card.counts == {"train": (4, 5), "val": (2, 1), "test": (2, 2)}
    every = [path for part in (here.train, here.val, here.test) for path in part.paths]
    assert len(set(every)) == 16
    there = prepared(shutil.copytree(pets, tmp_path / "elsewhere"))
    assert there.train.paths == here.train.paths
    assert there.card == here.card
    assert sorted(labelled_subset(here.train, 1, 0).labels.tolist()) == [0, 1]


def test_the_card_has_statistics_of_the_middles(pets: Path) -> None:
    splits = prepared(pets)
    (middles,) = splits.train.as_they_are(100, "cpu")
    assert (splits.card.mean, splits.card.std) == channel_statistics(middles)
    assert DataCard.from_json(splits.card.to_json()) == splits.card


def test_images_are_compared_by_their_pixels_whatever_the_files(pets: Path) -> None:
    ants, bees, test = (pets / place for place in ("train/ant", "train/bee", "test/ant"))
    test.mkdir(parents=True)
    (pets / "test/bee").mkdir()
    copy_as(ants / "0.png", ants / "again.webp")
    copy_as(ants / "1.png", bees / "one.bmp")
    copy_as(ants / "2.png", test / "two.png")
    shutil.copy(bees / "0.png", pets / "test/bee/0.png")
    splits = prepared(pets)
    assert splits.card.duplicates == {
        "in_test": 2,
        "contradicting": 2,
        "repeated": 1,
        "left_out": 5,
    }
    every = [
        digest for part in (splits.train, splits.val, splits.test) for digest in part.digests()
    ]
    assert len(set(every)) == len(every) == 15


def test_the_layout_of_the_files_does_not_matter(pets: Path, tmp_path: Path) -> None:
    here = prepared(pets)
    other = tmp_path / "others"
    for file in sorted((pets / "train").rglob("*.png")):
        place = other / "train" / file.parent.name
        place.mkdir(parents=True, exist_ok=True)
        copy_as(file, place / f"{9 - int(file.stem)}.bmp")
    there = prepared(other)
    assert there.card == here.card
    for part in ("train", "val", "test"):
        pixels = [torch.cat(list(getattr(s, part).as_they_are(9, "cpu"))) for s in (here, there)]
        assert torch.equal(*pixels)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no image", "cannot identify image file"),
        (TRUNCATED, "truncated"),
        (HUGE, "30000 x 2 pixels; allowed: 2 to 20,000 pixels a side"),
    ],
)
def test_a_file_that_is_no_image_is_refused_before_anything_is_written(
    pets: Path, content: bytes, reason: str
) -> None:
    (pets / "train" / "bee" / "2.png").write_bytes(content)
    with pytest.raises(UserError, match=r"1 of 16 images .*bee/2\.png") as error:
        prepared(pets)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_written_is_an_index_and_is_read_back(pets: Path) -> None:
    (pets / "train" / "ant" / "0.png").rename(pets / "train" / "ant" / "naïve ant.png")
    images = folder(pets).load().train
    tensors = images.tensors()
    assert sum(tensor.numel() for tensor in tensors.values()) < 16 * 40
    again = from_tensors(tensors, pets)
    assert isinstance(again, ImageFiles)
    assert again.paths == images.paths
    assert content_hash([again]) == content_hash([images])
    pairs = zip(again.as_they_are(9, "cpu"), images.as_they_are(9, "cpu"), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    with pytest.raises(UserError, match=r"set data\.path"):
        from_tensors(tensors)


def test_the_hash_tells_content_labels_and_side_wherever_the_files_lie(pets: Path) -> None:
    images = folder(pets).load().train
    others = [
        replace(images, content=images.content.flip(0)),
        replace(images, labels=1 - images.labels),
        replace(images, form=streamed_form(9)),
    ]
    assert len({content_hash([part]) for part in (images, *others)}) == 4
    same = replace(images, workers=2, root=Path("elsewhere"), paths=images.paths[::-1])
    assert content_hash([same]) == content_hash([images])


def test_imagenets_val_is_for_testing_and_its_statistics_are_the_published_ones(
    tmp_path: Path, write_folder
) -> None:
    top = write_folder(tmp_path, splits="train val")
    dataset = Imagenet(top, "files", size=8, streamed=True, workers=0)
    raw = dataset.load()
    assert dataset.slug == "imagenet"
    assert raw.val is None
    assert raw.test is not None
    assert raw.test.paths[0] == "val/ant/0.png"
    assert (raw.mean, raw.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert replace(dataset, statistics="own").load().mean is None
    assert replace(dataset, streamed=False, workers=None).load().train.shape == (3, 8, 8)


def test_streamed_images_are_converted_by_the_same_rules(tmp_path: Path, draw) -> None:
    deep = draw(0, 16, 16).astype(np.uint16) * 257
    clear = np.zeros((16, 16, 4), dtype=np.uint8)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(clear).save(tmp_path / "clear.png")
    paths = [tmp_path / "deep.png", tmp_path / "clear.png"]
    form = streamed_form(14)
    labels = torch.tensor([0, 1])
    files, _ = ImageFiles.examine(paths, labels, root=tmp_path, form=form, split="train")
    (seen,) = files.as_they_are(2, "cpu")
    expected = torch.from_numpy(draw(0, 16, 16)[1:15, 1:15])  # the middle of 16 x 16
    assert all(torch.equal(channel, expected) for channel in seen[0])
    assert (seen[1] == 255).all()


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("content", [b"", b"no image"])
def test_an_image_that_broke_later_is_named_in_one_line(
    pets: Path, workers: int, content: bytes
) -> None:
    images = replace(folder(pets).load().train, workers=workers)
    (pets / "train" / "bee" / "2.png").write_bytes(content)
    with pytest.raises(UserError, match=r"bee/2\.png .*\(.+\); replace") as error:
        list(evaluation_batches(images, (0.5,) * 3, (0.5,) * 3, batch_size=4))
    assert "\n" not in str(error.value)


def test_a_file_that_went_away_is_named(pets: Path) -> None:
    images = folder(pets).load().train
    (pets / "train" / "ant" / "1.png").unlink()
    with pytest.raises(UserError, match=r"ant/1\.png .*No such file"):
        list(images.as_they_are(4, "cpu"))


def test_workers_without_a_stream_are_refused(pets: Path) -> None:
    with pytest.raises(UserError, match=r"data\.workers .*set data\.streamed"):
        Folder(pets, "files", workers=2)
