"""Downloads, from a server on this machine: once, whole, and only what has the checksum."""

import hashlib
import io
import pickle
import socket
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from torchvision.datasets import CIFAR10, CIFAR100

from sakd.data import Dataset, open_dataset
from sakd.data.sources.download import Archive, fetch_archive
from sakd.data.sources.tiny_imagenet import TinyImagenet
from sakd.foundation.errors import UserError

NAMES = ("cifar10", "cifar100", "tiny_imagenet")


class Server:
    """A folder behind http://127.0.0.1, and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, []
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_request(self, code: object = "-", size: object = "-") -> None:
                asked.append(self.path)

            def log_error(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))

    def archive(self, name: str) -> Archive:
        content = (self.folder / name).read_bytes()
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return Archive(f"http://127.0.0.1:{self.http.server_port}/{name}", md5)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "served").mkdir()
    server = Server(tmp_path / "served")
    thread = Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


def tar(file: Path, contents: dict[str, bytes]) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def cifar(kind: type[CIFAR10], file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a small archive as published, and have torchvision know its checksums."""
    listed = [name for name, _ in (*kind.train_list, *kind.test_list)]
    data = np.zeros((2, 3072), dtype=np.uint8)
    key = "labels" if kind is CIFAR10 else "fine_labels"
    contents = {name: pickle.dumps({"data": data, key: [0, 1]}) for name in listed}
    count = 10 if kind is CIFAR10 else 100
    names = {kind.meta["key"]: [f"class {label}" for label in range(count)]}
    contents[kind.meta["filename"]] = pickle.dumps(names)
    tar(file, {f"{kind.base_folder}/{name}": content for name, content in contents.items()})
    sums = {n: hashlib.md5(c, usedforsecurity=False).hexdigest() for n, c in contents.items()}
    train = [[name, sums[name]] for name, _ in kind.train_list]
    monkeypatch.setattr(kind, "train_list", train)
    monkeypatch.setattr(kind, "test_list", [[name, sums[name]] for name, _ in kind.test_list])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": sums[kind.meta["filename"]]})


def tiny(file: Path, encode, draw) -> None:
    """Write an archive with one image for training and one for testing of each class."""
    ids = [f"n{number:08}" for number in range(200)]
    image, top = encode(draw(0, 64, 64, 3), "JPEG"), "tiny-imagenet-200"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{top}/wnids.txt", "\n".join(ids))
        archive.writestr(f"{top}/words.txt", "")
        archive.writestr(f"{top}/val/images/0.JPEG", image)
        archive.writestr(f"{top}/val/val_annotations.txt", f"0.JPEG\t{ids[0]}\t0\t0\t9\t9\n")
        for wnid in ids:
            archive.writestr(f"{top}/train/{wnid}/images/{wnid}_0.JPEG", image)


@pytest.fixture
def published(server: Server, monkeypatch: pytest.MonkeyPatch, encode, draw) -> Server:
    """Small archives of the three datasets, where these look for them."""
    for kind in (CIFAR10, CIFAR100):
        name = kind.filename
        cifar(kind, server.folder / name, monkeypatch)
        monkeypatch.setattr(kind, "url", server.archive(name).url)
        monkeypatch.setattr(kind, "tgz_md5", server.archive(name).md5)
    tiny(server.folder / "tiny-imagenet-200.zip", encode, draw)
    monkeypatch.setattr(TinyImagenet, "published", server.archive("tiny-imagenet-200.zip"))
    return server


def dataset(name: str, path: Path) -> Dataset:
    return open_dataset(name, path, download=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_is_downloaded_once_and_read(
    published: Server, tmp_path: Path, name: str
) -> None:
    place = tmp_path / "raw" / name
    for _ in range(2):
        dataset(name, place).fetch()
    assert len(dataset(name, place).load().train) > 0
    assert len(published.asked) == 1
    archive = published.asked[0].lstrip("/")
    assert {path.name for path in place.iterdir()} == {archive, dataset(name, place).unpacked}


@pytest.mark.parametrize("name", NAMES)
def test_a_corrupted_archive_is_refused_and_leaves_nothing(
    published: Server, tmp_path: Path, name: str
) -> None:
    for file in published.folder.iterdir():
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    place = tmp_path / "raw"
    with pytest.raises(UserError, match="is damaged or another file") as caught:
        dataset(name, place).fetch()
    assert "\n" not in str(caught.value)
    assert list(place.iterdir()) == []


def test_a_download_that_breaks_off_leaves_nothing_and_is_tried_again(
    published: Server, tmp_path: Path
) -> None:
    archive = published.folder / "tiny-imagenet-200.zip"
    archive.rename(archive.with_suffix(".away"))
    with pytest.raises(UserError, match=r"could not be downloaded \(File not found\); try again"):
        dataset("tiny_imagenet", tmp_path / "raw").fetch()
    assert list((tmp_path / "raw").iterdir()) == []
    assert socket.getdefaulttimeout() is None
    archive.with_suffix(".away").rename(archive)
    dataset("tiny_imagenet", tmp_path / "raw").fetch()


def test_an_archive_put_there_by_hand_is_unpacked_without_a_network(
    published: Server, tmp_path: Path
) -> None:
    name = "tiny-imagenet-200.zip"
    (tmp_path / name).write_bytes((published.folder / name).read_bytes())
    by_hand = open_dataset("tiny_imagenet", tmp_path)
    by_hand.check()
    by_hand.fetch()
    assert len(by_hand.load().train) == 200
    assert published.asked == []


@pytest.mark.usefixtures("published")
def test_a_damaged_archive_that_was_put_there_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "tiny-imagenet-200.zip").write_bytes(b"half")
    with pytest.raises(UserError, match=r"damaged .*; delete .*tiny-imagenet-200.zip, and it is"):
        dataset("tiny_imagenet", tmp_path).fetch()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["tiny-imagenet-200.zip"]


def test_an_archive_of_something_else_is_refused(server: Server, tmp_path: Path) -> None:
    tar(server.folder / "a.tar.gz", {"other/file": b"x"})
    raw = tmp_path / "raw"
    with pytest.raises(UserError, match="holds no folder wanted; delete it"):
        fetch_archive(server.archive("a.tar.gz"), raw, "wanted", download=True)
    assert [path.name for path in raw.iterdir()] == ["a.tar.gz"]
    (raw / "wanted").mkdir()
    with pytest.raises(UserError, match="wanted is incomplete; delete it"):
        fetch_archive(server.archive("a.tar.gz"), raw, "wanted", download=True)
