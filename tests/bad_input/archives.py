"""Published archives and their folders: only what has the published checksum is opened."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from bad_input.case import Case, Make, nothing, read
from bad_input.hostile import RAN, Canary

CIFAR, TINY = "cifar-10-python.tar.gz", "tiny-imagenet-200.zip"
OTHER = "is damaged or another file .md5"
BATCHES = "cifar-10-batches-py"
AGAIN = "it is fetched again"


def tar(*members: tuple[str, bytes], link: str = "") -> Callable[[Path], None]:
    """Write an archive in the place of that of CIFAR-10."""

    def make(top: Path) -> None:
        with tarfile.open(top / CIFAR, "w:gz") as archive:
            for name, content in members:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
            if link:
                entry = tarfile.TarInfo(BATCHES)
                entry.type, entry.linkname = tarfile.SYMTYPE, link
                archive.addfile(entry)

    return make


def packed(**members: bytes) -> Callable[[Path], None]:
    """Write an archive in the place of that of Tiny ImageNet."""

    def make(top: Path) -> None:
        with zipfile.ZipFile(top / TINY, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return make


def batches(content: bytes) -> Callable[[Path], None]:
    """Write the files of an unpacked archive of CIFAR-10."""

    def make(top: Path) -> None:
        (top / BATCHES).mkdir()
        for name in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "batches.meta"):
            (top / BATCHES / name).write_bytes(content)

    return make


def into(make: Callable[[Path], object]) -> Make:
    def prepare(here: Path) -> None:
        (here / "top").mkdir()
        make(here / "top")

    return prepare


def published(
    name: str, make: Callable[[Path], object], value: str, remedy: str, data: str = "cifar10"
) -> Case:
    """Give a case of a published dataset."""
    return read(name, into(make), value, remedy, data=data)


HOSTILE = pickle.dumps(Canary())

CASES = [
    published("no-archive", nothing, f"no intact CIFAR-10 in .*{BATCHES}", "set download to"),
    published(
        "empty-archive", lambda top: (top / CIFAR).touch(), f"{CIFAR}, from .*{OTHER}", AGAIN
    ),
    published("tar-above", tar((f"../{RAN}", b"x")), f"{CIFAR}, from .*{OTHER}", AGAIN),
    published("tar-from-the-root", tar((f"/tmp/{RAN}", b"x")), f"{CIFAR}, from .*{OTHER}", AGAIN),
    published("tar-of-a-link", tar(link="/etc"), f"{CIFAR}, from .*{OTHER}", AGAIN),
    published("tar-bomb", tar((BATCHES, bytes(10**7))), f"{CIFAR}, from .*{OTHER}", AGAIN),
    published(
        "tar-of-pickles", tar((f"{BATCHES}/test_batch", HOSTILE)), f"{CIFAR}.*{OTHER}", AGAIN
    ),
    published(
        "pickles-that-run-code", batches(HOSTILE), "no intact CIFAR-10", "delete it, and set"
    ),
    published("pickles-of-nothing", batches(b""), "no intact CIFAR-10", "delete it, and set"),
    published(
        "half-of-the-batches",
        lambda top: [batches(b"")(top), (top / BATCHES / "test_batch").unlink()],
        f"no intact CIFAR-10 in .*{BATCHES}",
        "set download to true",
    ),
    published(
        "file-for-the-folder", lambda top: [top.rmdir(), top.touch()], "top is a file", "a folder"
    ),
    published(
        "zip-above",
        packed(**{f"../{RAN}": b"x"}),
        f"{TINY}, from .*{OTHER}",
        AGAIN,
        "tiny_imagenet",
    ),
    published(
        "zip-bomb",
        packed(**{"tiny-imagenet-200/a": bytes(10**7)}),
        f"{TINY}.*{OTHER}",
        AGAIN,
        "tiny_imagenet",
    ),
    published("no-zip", nothing, "no intact Tiny ImageNet", "set download to", "tiny_imagenet"),
]
