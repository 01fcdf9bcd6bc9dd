"""Folders of your own images: splits, classes and pixels are found in them."""

import errno
import logging
import re
import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sakd.data import RawData, Splitting, prepare
from sakd.data.parameters import DataParameters
from sakd.data.sources.folder import Folder
from sakd.foundation.errors import UserError


def load(top: Path, size: int | None = None) -> RawData:
    return Folder(top, "files", size=size).load()


def test_splits_classes_and_pixels_are_found(tmp_path: Path, write_folder) -> None:
    raw = load(write_folder(tmp_path, classes="bee ant", splits="train val test"))
    assert raw.classes == ("ant", "bee")
    assert raw.val is not None
    assert raw.test is not None
    assert raw.train.labels.tolist() == [0] * 4 + [1] * 4
    first = np.asarray(Image.open(tmp_path / "val" / "ant" / "2.png")).transpose(2, 0, 1)
    assert torch.equal(raw.val.images[2], torch.from_numpy(first.copy()))
    assert raw.source == "image folder, 8 files for train, 8 files for val, 8 files for test"


@pytest.mark.parametrize(("splits", "refused"), [("train val", True), ("train test", False)])
def test_without_test_images_a_share_for_them_is_asked_for_before_any_image_is_read(
    tmp_path: Path, write_folder, splits: str, *, refused: bool
) -> None:
    top = write_folder(tmp_path, splits=splits)
    (top / "train" / "ant" / "0.png").write_bytes(b"no image")
    parameters = DataParameters(name="folder", path=top)
    message = r"no test images, so data.test_fraction must be above 0 and below 1, got None"
    with pytest.raises(UserError, match=message) if refused else nullcontext():
        parameters.check()
    replace(parameters, test_fraction=0.2).check()


def test_without_folders_of_splits_all_images_are_for_training(
    tmp_path: Path, write_folder
) -> None:
    raw = load(write_folder(tmp_path, classes="test train", splits="."))  # classes, as they go
    assert raw.classes == ("test", "train")
    assert (len(raw.train), raw.val, raw.test) == (8, None, None)
    counts = prepare(raw, Splitting(0.25, test_fraction=0.25), name="x").card.counts
    assert counts == {"train": (2, 2), "val": (1, 1), "test": (1, 1)}


def test_hidden_files_and_those_of_file_managers_are_passed_over(
    tmp_path: Path, write_folder
) -> None:
    write_folder(tmp_path)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / name).write_bytes(b"?")
        (tmp_path / "train" / name).write_bytes(b"?")
        (tmp_path / "train" / "ant" / name).write_bytes(b"?")
    (tmp_path / "train" / ".cache").mkdir()
    (tmp_path / "README.md").write_text("mine")
    assert len(load(tmp_path).train) == 8


@pytest.mark.parametrize(
    ("form", "ending"),
    [
        ("PNG", "png"),
        ("JPEG", "JPG"),
        ("JPEG", "jfif"),
        ("WEBP", "webp"),
        ("AVIF", "avif"),
        ("BMP", "bmp"),
        ("GIF", "gif"),
        ("TIFF", "tif"),
        ("TIFF", "TIFF"),
        ("PPM", "ppm"),
        ("WEBP", "jpg"),
    ],
)
def test_files_are_images_by_their_endings_and_are_read_by_their_content(
    tmp_path: Path, write_folder, encode, draw, form: str, ending: str
) -> None:
    write_folder(tmp_path)
    (tmp_path / "train" / "ant" / f"x.{ending}").write_bytes(encode(draw(99), form))
    raw = load(tmp_path)
    assert raw.train.shape == (3, 8, 8)
    assert raw.train.labels.tolist() == [0] * 5 + [1] * 4


def test_images_in_folders_of_a_class_are_taken_where_that_is_asked_for(
    tmp_path: Path, write_folder
) -> None:
    top = write_folder(tmp_path)
    flat = load(top)
    ant = top / "train" / "ant"
    (ant / "z" / "deeper").mkdir(parents=True)
    (ant / "3.png").rename(ant / "z" / "deeper" / "3.png")
    with pytest.raises(UserError, match=r"in the class .*ant, such as z; .*options.nested to true"):
        load(top)
    nested = Folder(top, "files", nested=True)
    assert torch.equal(nested.load().train.images, flat.train.images)


def test_grey_images_have_one_channel_only_where_all_are_grey(
    tmp_path: Path, write_folder, encode, draw
) -> None:
    write_folder(tmp_path)
    for number, file in enumerate(sorted(tmp_path.rglob("*.png"))):
        file.write_bytes(encode(draw(number, 8, 8)))
    assert load(tmp_path).train.shape == (1, 8, 8)
    file.write_bytes(encode(draw(0)))
    assert load(tmp_path).train.shape == (3, 8, 8)


def test_images_of_different_sizes_become_squares(
    tmp_path: Path, write_folder, encode, draw, caplog: pytest.LogCaptureFixture
) -> None:
    write_folder(tmp_path)
    (tmp_path / "train" / "ant" / "0.png").write_bytes(encode(draw(0, 90, 40, 3)))
    with caplog.at_level(logging.INFO):
        assert load(tmp_path).train.shape == (3, 8, 8)
    assert "sides of 8 to 90 pixels; resized to 8 x 8 (data.options.size)" in caplog.text
    assert load(tmp_path, size=12).train.shape == (3, 12, 12)
    caplog.clear()
    with caplog.at_level(logging.INFO):  # streamed images are cropped whenever they are used
        Folder(tmp_path, "files", streamed=True, workers=0).load()
    assert "resized" not in caplog.text


def slug(path: Path) -> str:
    return Folder(path, "files").slug


def test_a_set_is_called_by_its_folder_and_a_digest_of_where_that_is(tmp_path: Path) -> None:
    pets, others = tmp_path / "my pets", tmp_path / "elsewhere" / "my pets"
    assert re.fullmatch(r"folder_my_pets_[0-9a-f]{6}", slug(pets))
    assert slug(pets) == slug(tmp_path / "elsewhere" / ".." / "my pets/") != slug(others)
    assert Folder(None, "files").slug == "folder"


def test_no_two_folders_share_a_name(tmp_path: Path) -> None:
    names = ["狗", "猫", "🐶", "été", "eté", "ete", "x" * 100, "x" * 101]
    slugs = [slug(place / name) for name in names for place in (tmp_path, tmp_path / "x")]
    assert len(set(slugs)) == 2 * len(names)
    assert all(re.fullmatch(r"folder_\w{1,80}", each, re.ASCII) for each in slugs)
    assert slug(tmp_path / "\xe9") == slug(tmp_path / "e\u0301")


def test_a_project_that_moves_with_its_data_keeps_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slugs = set()
    for project in ("one", "two"):
        (tmp_path / project / "data" / "pets").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / project)
        slugs |= {slug(Path("data/pets")), slug(tmp_path / project / "data/pets")}
    assert len(slugs) == 1


def test_images_and_classes_may_be_links(tmp_path: Path, write_folder) -> None:
    top = write_folder(tmp_path / "pets")
    here = load(top)
    for place in (top / "train" / "ant", top / "train" / "bee" / "0.png"):
        place.rename(tmp_path / place.name)
        place.symlink_to(tmp_path / place.name)
    (tmp_path / "link").symlink_to(top)
    assert torch.equal(load(tmp_path / "link").train.images, here.train.images)


@pytest.mark.parametrize(
    ("place", "call"),
    [
        ("sakd.data.sources.listing.os.scandir", Folder.check),
        ("pathlib.Path.stat", Folder.check),
        ("pathlib.Path.open", Folder.fingerprint),
    ],
)
def test_files_that_may_not_be_read_are_named_in_one_line(
    tmp_path: Path, write_folder, monkeypatch: pytest.MonkeyPatch, place: str, call: Any
) -> None:
    top = write_folder(tmp_path)

    def refuse(path: object, *_given: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(place, refuse)
        with pytest.raises(UserError, match=r"cannot be read .Permission denied.; make") as error:
            call(Folder(top, "files"))
    assert str(error.value).startswith(str(top))


def test_the_fingerprint_follows_content_class_and_size(tmp_path: Path, write_folder) -> None:
    write_folder(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    one, two = (Folder(tmp_path / name, "files") for name in ("one", "two"))
    assert one.fingerprint() == two.fingerprint()
    assert one.fingerprint() != Folder(tmp_path / "one", "files", size=16).fingerprint()
    last = tmp_path / "two" / "train" / "ant" / "3.png"
    last.rename(tmp_path / "two" / "train" / "bee" / "-.png")  # the same files in the same order
    assert one.fingerprint() != two.fingerprint()


@pytest.mark.parametrize("size", [(1, 9), (20_001, 2)])
def test_an_absurd_size_is_refused(
    tmp_path: Path, write_folder, encode, size: tuple[int, int]
) -> None:
    write_folder(tmp_path)
    (tmp_path / "train" / "bee" / "3.png").write_bytes(encode(Image.new("RGB", size)))
    with pytest.raises(UserError, match=f"bee/3.png .{size[0]} x {size[1]} pixels; allowed: 2 to"):
        load(tmp_path)


def test_a_decompression_bomb_is_refused_unopened(
    tmp_path: Path, write_folder, encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path)
    (tmp_path / "train" / "bee" / "3.png").write_bytes(encode(Image.new("1", (60, 60))))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(UserError, match=r"1 of 8 .*bee/3.png \(Image size .* exceeds limit"):
        load(tmp_path)


def test_more_pixels_than_memory_are_refused(
    tmp_path: Path, write_folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = "sakd.data.pictures.decoding.os.sysconf"
    monkeypatch.setattr(memory, lambda _name: 20)  # a machine of 400 bytes
    message = "8 images of 3 x 8 x 8 take 0.0 GiB, more than half .* set data.options.size"
    with pytest.raises(UserError, match=message):
        load(write_folder(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": None}, "folder needs data.path: a folder; allowed: one with train/CLASS"),
        ({"source": "zip"}, "folder has no source 'zip'; allowed: files"),
        ({"download": True}, "folder reads your own files; set data.download to false"),
    ],
)
def test_options_that_mean_nothing_here_are_refused(options, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Folder(**{"path": Path("x"), "source": "files"} | options).check()
