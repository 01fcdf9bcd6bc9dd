from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sakd.data import Splitting, open_dataset, prepare
from sakd.foundation.errors import UserError

IDS = [f"n{number:08}" for number in range(200)]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, encode, draw) -> Path:
    """The archive's layout: two JPEGs of each class to train on, one to test; the last is grey."""
    folder = tmp_path_factory.mktemp("tiny")
    top = folder / "tiny-imagenet-200"
    kinds = [encode(draw(seed, 64, 64, 3), "JPEG") for seed in range(2)]
    grey = encode(draw(2, 64, 64), "JPEG")
    (top / "val" / "images").mkdir(parents=True)
    (top / "wnids.txt").write_text("\n".join(reversed(IDS)))
    words = [f"{wnid}\tword {label // 2}, other" for label, wnid in enumerate(IDS)]
    (top / "words.txt").write_text("\n".join([*words, "n99999999\tno class of it"]))
    lines = []
    for label, wnid in enumerate(IDS):
        images = top / "train" / wnid / "images"
        images.mkdir(parents=True)
        for number, content in enumerate(kinds):
            (images / f"{wnid}_{number}.JPEG").write_bytes(content)
        name = f"val_{199 - label}.JPEG"
        content = grey if label == 199 else kinds[label % 2]
        (top / "val" / "images" / name).write_bytes(content)
        lines.append(f"{name}\t{wnid}\t0\t32\t44\t62")
    (top / "val" / "val_annotations.txt").write_text("\n".join(lines) + "\n")
    return folder


def test_the_archive_gives_classes_by_id_and_its_val_images_for_testing(archive: Path) -> None:
    raw = open_dataset("tiny_imagenet", archive).load()
    assert raw.train.images.shape == (400, 3, 64, 64)
    assert raw.train.labels.bincount().tolist() == [2] * 200
    assert raw.val is None
    assert raw.test is not None
    assert raw.test.labels.tolist() == list(range(200))
    grey = raw.test.images[199]
    assert torch.equal(grey[0], grey[1])
    assert raw.classes[:2] == ("word 0 (n00000000)", "word 0 (n00000001)")


def test_its_own_statistics_are_the_default_and_the_papers_an_option(archive: Path) -> None:
    own = open_dataset("tiny_imagenet", archive)
    paper = open_dataset("tiny_imagenet", archive, statistics="published")
    assert own.fingerprint() != paper.fingerprint()
    raw = own.load()
    one = prepare(raw, Splitting(0.5, duplicates="keep"), name="tiny")
    other = prepare(paper.load(), Splitting(0.5, duplicates="keep"), name="tiny")
    assert other.card.mean == (0.4914, 0.4822, 0.4465)
    assert other.card.std == (0.2023, 0.1994, 0.2010)
    red = one.train.images[:, 0].double() / 255
    assert one.card.std[0] == pytest.approx(float(red.std(correction=0)))
    assert one.card.sha256 == other.card.sha256
    assert one.card.normalisation != other.card.normalisation


def test_parquet_files_hold_the_same_images(
    archive: Path, tmp_path: Path, write_parquet: Callable[..., None]
) -> None:
    top = archive / "tiny-imagenet-200"
    files = {"train": [], "valid": []}
    for label, wnid in enumerate(IDS):
        for path in sorted((top / "train" / wnid / "images").iterdir()):
            files["train"].append((path.read_bytes(), label))
        content = (top / "val" / "images" / f"val_{199 - label}.JPEG").read_bytes()
        files["valid"].append((content, label))
    for split, rows in files.items():
        contents, labels = zip(*rows, strict=True)
        write_parquet(tmp_path / f"{split}-0.parquet", contents, IDS, label=list(labels))
    one = open_dataset("tiny_imagenet", tmp_path, "parquet").load()
    other = open_dataset("tiny_imagenet", archive).load()
    assert torch.equal(one.train.images, other.train.images)
    assert one.test is not None
    assert other.test is not None
    assert torch.equal(one.test.images, other.test.images)
    assert torch.equal(one.test.labels, other.test.labels)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("wnids.txt", "wnids.txt names 1 classes; Tiny ImageNet has 200"),
        ("val/val_annotations.txt", "val_annotations.txt has 1 lines without a known class"),
    ],
)
def test_an_archive_that_is_not_as_published_is_refused(
    archive: Path, spoil: str, message: str
) -> None:
    file = archive / "tiny-imagenet-200" / spoil
    before = file.read_text()
    file.write_text("nothing\n")
    try:
        with pytest.raises(UserError, match=message):
            open_dataset("tiny_imagenet", archive).load()
    finally:
        file.write_text(before)


def test_the_message_of_a_missing_archive_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"no intact Tiny ImageNet in .*; set download to true, or "
    ):
        open_dataset("tiny_imagenet", tmp_path).check()
    with pytest.raises(
        UserError, match=r"put tiny-imagenet-200.zip .*90528d7ca1a48142e341f4ef8d21d0de"
    ):
        open_dataset("tiny_imagenet", tmp_path).fetch()
    open_dataset("tiny_imagenet", tmp_path, download=True).check()
    with pytest.raises(UserError, match=r"statistics of tiny_imagenet takes .*'own', got 'mine'"):
        open_dataset("tiny_imagenet", tmp_path, statistics="mine")
