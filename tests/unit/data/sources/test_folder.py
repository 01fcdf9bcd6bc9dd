"""Folders of one's own: what is found in them, and what is told before anything is read."""

import errno
import logging
import os
import re
import shutil
from collections.abc import Callable
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


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_val_has_three_names(tmp_path: Path, write_folder, name: str) -> None:
    raw = load(write_folder(tmp_path, splits=f"train {name}"))
    assert raw.val is not None
    assert raw.test is None


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


def test_hidden_files_and_those_of_file_managers_are_no_images(
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


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP"])
def test_images_may_be_of_any_of_these_forms_and_of_any_kind(
    tmp_path: Path, write_folder, encode, draw, form: str
) -> None:
    write_folder(tmp_path)
    ending = {"JPEG": "JPG"}.get(form, form.lower())
    (tmp_path / "train" / "ant" / f"x.{ending}").write_bytes(encode(draw(99), form))
    assert load(tmp_path).train.shape == (3, 8, 8)


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
    assert "sides of 8 to 90 pixels; resized to 8 x 8 (parameter data.size)" in caplog.text
    assert load(tmp_path, size=12).train.shape == (3, 12, 12)


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
        ("sakd.data.sources.folder.os.scandir", Folder.check),
        ("pathlib.Path.stat", Folder.check),
        ("pathlib.Path.open", Folder.fingerprint),
    ],
)
def test_what_may_not_be_read_is_told_in_one_line(
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


def gone(top: Path) -> None:
    shutil.rmtree(top)


def empty(top: Path) -> None:
    shutil.rmtree(top / "train")
    shutil.rmtree(top / "val")


def a_file(top: Path) -> None:
    shutil.rmtree(top)
    top.touch()


def only_parquet(top: Path) -> None:
    empty(top)
    (top / "train-0.parquet").touch()


def no_train(top: Path) -> None:
    shutil.rmtree(top / "train")


def empty_train(top: Path) -> None:
    shutil.rmtree(top / "val")
    shutil.rmtree(top / "train")
    (top / "train").mkdir()


def strange_split(top: Path) -> None:
    (top / "val").rename(top / "dev")


def two_vals(top: Path) -> None:
    shutil.copytree(top / "val", top / "valid")


def empty_class(top: Path) -> None:
    (top / "train" / "cat").mkdir()


def other_classes(top: Path) -> None:
    (top / "val" / "bee").rename(top / "val" / "wasp")


def one_class(top: Path) -> None:
    for split in ("train", "val"):
        shutil.rmtree(top / split / "bee")


def one_image(top: Path) -> None:
    for number in (1, 2, 3):
        (top / "train" / "bee" / f"{number}.png").unlink()


def no_bytes(top: Path) -> None:
    for number in (1, 2):
        (top / "val" / "bee" / f"{number}.png").write_bytes(b"")


def mixed(top: Path) -> None:
    (top / "train" / "bee" / "labels.csv").touch()


def nested(top: Path) -> None:
    (top / "train" / "bee" / "more").mkdir()


def other_case(top: Path) -> None:
    (top / "train").rename(top / "Train")
    shutil.rmtree(top / "val")


def broken_link(top: Path) -> None:
    (top / "train" / "bee" / "0.png").unlink()
    (top / "train" / "bee" / "0.png").symlink_to(top / "gone")


def broken_class(top: Path) -> None:
    (top / "train" / "cat").symlink_to(top / "gone")


def not_text(top: Path) -> None:
    (top / "train" / "bee").rename(os.fsdecode(bytes(top / "train") + b"/\xff"))


def two_lines(top: Path) -> None:
    (top / "train" / "bee" / "0.png").rename(top / "train" / "bee" / "a\nb.png")


def classless(top: Path) -> None:
    shutil.copy(top / "train" / "bee" / "0.png", top / "train" / "0.png")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (gone, "no folder .*top; allowed: one with train/CLASS/.*png, or with CLASS/"),
        (a_file, "no folder .*top; allowed"),
        (empty, "no folders in .*top; allowed: one with train/CLASS"),
        (only_parquet, "no folders in .*top; set data.name to parquet"),
        (no_train, "top has val and no train; allowed"),
        (empty_train, "top/train has no images; add some, or remove it"),
        (strange_split, "has the folders dev beside train; allowed: train, val, valid, val.*test"),
        (two_vals, "top has val and valid; keep one of them"),
        (empty_class, "top/train/cat has no images; add some, or remove it"),
        (other_classes, "top/val and .*top/train differ in the classes bee, wasp; give all"),
        (one_class, "one class, 'ant'; at least 2"),
        (one_image, "'bee' has 1 image for training; needed: 2 or more to split off test; add"),
        (no_bytes, r"2 of 16 image files are empty \(0 bytes\), such as .*val/bee/1.png; replace"),
        (mixed, "1 of 5 items in .*train/bee are no images, such as labels.csv; allowed: .png"),
        (nested, "1 folders in the class .*train/bee, such as more; move their images up"),
        (other_case, "2 folders in the class .*top/Train, .* if Train is a split, call it train"),
        (broken_link, "train/bee/0.png is a link to what is not there; mend or remove it"),
        (broken_class, "train/cat is a link to what is not there; mend or remove it"),
        (not_text, r"train holds '\\udcff', no UTF-8 text of one line; rename it"),
        (two_lines, r"train/bee holds 'a\\nb.png', no UTF-8 text of one line; rename it"),
        (classless, "1 images in .*top/train are in no class, such as 0.png; move them"),
    ],
)
def test_a_wrong_layout_is_told_at_the_door(
    tmp_path: Path, write_folder, spoil: Callable[[Path], None], message: str
) -> None:
    top = write_folder(tmp_path / "top", splits="train val")
    Folder(top, "files").check()
    spoil(top)
    with pytest.raises(UserError, match=message) as caught:
        Folder(top, "files").check()
    assert "\n" not in str(caught.value)


def no_image(_encoded: bytes) -> bytes:
    return b"no image"


def truncated(encoded: bytes) -> bytes:
    return encoded[: len(encoded) * 2 // 3]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(no_image, "cannot identify image file"), (truncated, "truncated|broken|decod")],
)
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP"])
def test_unreadable_images_are_named_and_counted(
    tmp_path: Path, write_folder, encode, draw, form: str, spoil, reason: str
) -> None:
    write_folder(tmp_path)
    for number in range(5):
        file = tmp_path / "train" / "ant" / f"x{number}.png"
        file.write_bytes(spoil(encode(draw(number, 64, 64, 3), form)))
    with pytest.raises(UserError, match=rf"5 of 13 images .*ant/x0.png \(.*({reason})") as error:
        load(tmp_path, size=8)
    assert str(error.value).endswith("and 2 more; replace or remove them")
    assert "\n" not in str(error.value)


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
    monkeypatch.setattr(
        "sakd.data.pictures.decoding.os.sysconf", lambda _name: 20
    )  # a machine of 400 bytes
    message = "8 images of 3 x 8 x 8 take 0.0 GiB, more than half .* set data.size"
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
