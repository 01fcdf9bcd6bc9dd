"""CIFAR-10 and CIFAR-100, the dataset of the paper, from either of their two common forms."""

from __future__ import annotations

from typing import ClassVar

from sakd.data.pictures.decoding import Survey
from sakd.data.pictures.form import Form
from sakd.data.sources.benchmark import Benchmark
from sakd.data.sources.download import Archive
from sakd.data.sources.parquet_files import Columns
from sakd.data.sources.raw import RawData
from sakd.data.sources.reading import read_raw
from sakd.data.sources.torchvision_classes import TorchvisionClass, torchvision_class
from sakd.foundation.errors import UserError


class Cifar(Benchmark):
    """Shared base of CIFAR-10 and CIFAR-100: 50,000 images to train on, 10,000 to test.

    Attributes:
        item: The name of torchvision's class, which reads the published archive.
    """

    sources: ClassVar[tuple[str, ...]] = ("torchvision", "parquet")
    item: ClassVar[str]
    form: ClassVar[Form] = Form(channels=3, height=32, width=32)
    train_count: ClassVar[int] = 50_000
    test_count: ClassVar[int] = 10_000

    @property
    def archive(self) -> Archive:
        """The python version, as torchvision knows it."""
        kind = torchvision_class(self.item)
        return Archive(kind.url, kind.tgz_md5)

    def read_archive(self) -> RawData:
        """Read the published files; they are unpickled, but only with the published checksums.

        Raises:
            UserError: One has another checksum.
        """
        try:
            splits, classes = TorchvisionClass(self.item).read(self.folder, download=False)
        except UserError as error:
            found = f"no intact {self.title} in {self.place}"
            raise UserError(f"{found}; delete it, and {self.remedy()}") from error
        source = f"{self.title}, python version, as published"
        return read_raw(splits, classes, source, Survey(self.form), self.on_error)


class Cifar10(Cifar):
    """10 classes of 32 x 32 colour images: 50,000 for training, 10,000 for testing.

    Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.

    Sources:
        torchvision: ``path`` holds ``cifar-10-batches-py`` as unpacked from the published archive;
            with ``download`` it is fetched when it is not there.
        parquet: ``path`` holds Hugging Face style ``train-*.parquet`` and ``test-*.parquet``
            with the columns img {bytes, path} and label.
    """

    name: ClassVar[str] = "cifar10"
    title: ClassVar[str] = "CIFAR-10"
    item: ClassVar[str] = "CIFAR10"
    unpacked: ClassVar[str] = "cifar-10-batches-py"
    members: ClassVar[tuple[str, ...]] = (
        *(f"data_batch_{number}" for number in range(1, 6)),
        *("test_batch", "batches.meta"),
    )
    columns: ClassVar[Columns] = Columns("img", "label")
    class_count: ClassVar[int] = 10
    mean: ClassVar[tuple[float, ...]] = (0.4914, 0.4822, 0.4465)
    std: ClassVar[tuple[float, ...]] = (0.2470, 0.2435, 0.2616)


class Cifar100(Cifar):
    """100 classes of 32 x 32 colour images: 50,000 for training, 10,000 for testing.

    Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. The statistics are
    those that the distillation papers normalise by, SAKD's among them.

    Sources:
        torchvision: ``path`` holds ``cifar-100-python`` as unpacked from the published archive;
            with ``download`` it is fetched when it is not there.
        parquet: ``path`` holds Hugging Face style ``train-*.parquet`` and ``test-*.parquet``
            with the columns img {bytes, path} and fine_label.
    """

    name: ClassVar[str] = "cifar100"
    title: ClassVar[str] = "CIFAR-100"
    item: ClassVar[str] = "CIFAR100"
    unpacked: ClassVar[str] = "cifar-100-python"
    members: ClassVar[tuple[str, ...]] = ("train", "test", "meta")
    columns: ClassVar[Columns] = Columns("img", "fine_label")
    class_count: ClassVar[int] = 100
    mean: ClassVar[tuple[float, ...]] = (0.5071, 0.4867, 0.4408)
    std: ClassVar[tuple[float, ...]] = (0.2675, 0.2565, 0.2761)
