"""Tiny ImageNet, the larger dataset of the paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from sakd.data.pictures.decoding import Survey
from sakd.data.pictures.form import Form
from sakd.data.pictures.stored import Files
from sakd.data.sources.benchmark import Benchmark, StatisticsChoice
from sakd.data.sources.download import Archive
from sakd.data.sources.parquet_files import Columns
from sakd.data.sources.raw import RawData
from sakd.data.sources.reading import Labelled, read_raw
from sakd.data.sources.split_names import SplitNames
from sakd.foundation.errors import require


class TinyImagenet(Benchmark):
    """200 classes of 64 x 64 colour images: 100,000 for training, 10,000 for testing.

    Le & Yang, Tiny ImageNet Visual Recognition Challenge, 2015. The labels of its test images are
    not public: like the papers, this takes its validation images for testing. The paper of SAKD
    normalises by CIFAR-10's mean and by a standard deviation that is too small even for that (that
    within an image, on average); these are the ``published`` statistics, and the images' own, from
    the training split, are used unless the others are asked for.

    Sources:
        archive: ``path`` holds ``tiny-imagenet-200`` as unpacked from the published archive; where
            it does not, the archive there is unpacked, and with ``download`` fetched.
        parquet: ``path`` holds Hugging Face style ``train-*.parquet`` and ``valid-*.parquet`` with
            the columns image {bytes, path} and label.
    """

    name: ClassVar[str] = "tiny_imagenet"
    sources: ClassVar[tuple[str, ...]] = ("archive", "parquet")
    title: ClassVar[str] = "Tiny ImageNet"
    published: ClassVar[Archive] = Archive(
        "http://cs231n.stanford.edu/tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de"
    )
    unpacked: ClassVar[str] = "tiny-imagenet-200"
    members: ClassVar[tuple[str, ...]] = (
        "wnids.txt",
        "words.txt",
        "val/val_annotations.txt",
        "val/images",
        "train",
    )
    columns: ClassVar[Columns] = Columns("image", "label")
    split_names: ClassVar[SplitNames] = {
        "train": ("train",),
        "test": ("valid", "validation", "val"),
    }
    class_count: ClassVar[int] = 200
    train_count: ClassVar[int] = 100_000
    test_count: ClassVar[int] = 10_000
    form: ClassVar[Form] = Form(channels=3, height=64, width=64)
    mean: ClassVar[tuple[float, ...]] = (0.4914, 0.4822, 0.4465)
    std: ClassVar[tuple[float, ...]] = (0.2023, 0.1994, 0.2010)
    standard: ClassVar[StatisticsChoice] = "own"

    @property
    def archive(self) -> Archive:
        """The archive of the course."""
        return self.published

    def files(self) -> list[Path]:
        """The parquet files, or all images of the unpacked archive and what labels them."""
        listed = super().files()
        if self.source == "parquet":
            return listed
        texts = [path for path in listed if path.is_file()]
        images = [
            each for split in ("train/*", "val") for each in self.place.glob(f"{split}/images/*")
        ]
        return texts + sorted(images)

    def read_archive(self) -> RawData:
        """Read the unpacked archive; classes are in the order of their ids.

        Raises:
            UserError: It has other classes, a class without images, or an unreadable image.
        """
        ids = sorted((self.place / "wnids.txt").read_text().split())
        found = f"{self.place / 'wnids.txt'} names {len(ids)} classes"
        require(len(ids) == self.class_count, f"{found}; {self.title} has {self.class_count}")
        labels = {wnid: label for label, wnid in enumerate(ids)}
        splits = {"train": self._train(labels), "test": self._val(labels)}
        source = f"{self.title}, as published; its validation images are the test split"
        return read_raw(splits, self._names(ids), source, Survey(self.form), self.on_error)

    def _train(self, labels: Mapping[str, int]) -> Labelled:
        paths, of_paths = [], []
        for wnid, label in labels.items():
            folder = self.place / "train" / wnid / "images"
            found = sorted(folder.glob("*.JPEG"))
            require(bool(found), f"no *.JPEG in {folder}; delete {self.place}, and {self.remedy()}")
            paths += found
            of_paths += [label] * len(found)
        return Labelled(Files(paths), of_paths)

    def _val(self, labels: Mapping[str, int]) -> Labelled:
        annotations = self.place / "val" / "val_annotations.txt"
        lines = [line.split("\t") for line in annotations.read_text().splitlines() if line]
        strange = [
            line for line in lines if len(line) < len(("file", "id")) or line[1] not in labels
        ]
        message = f"{annotations} has {len(strange)} lines without a known class"
        require(bool(lines) and not strange, f"{message}; delete {self.place}, and {self.remedy()}")
        paths = [annotations.parent / "images" / line[0] for line in lines]
        return Labelled(Files(paths), [labels[line[1]] for line in lines])

    def _names(self, ids: Sequence[str]) -> list[str]:
        """The first word of every class; its id too where two classes share it."""
        lines = (self.place / "words.txt").read_text().splitlines()
        words = dict(line.split("\t", 1) for line in lines if "\t" in line)
        first = [words.get(wnid, wnid).split(",")[0].strip() for wnid in ids]
        shared = Counter(first)
        return [
            name if shared[name] == 1 else f"{name} ({wnid})"
            for name, wnid in zip(first, ids, strict=True)
        ]
