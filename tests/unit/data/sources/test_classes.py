"""Classes have one form, one order, and may lack images in val and test only."""

import logging
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from sakd.data import Dataset, Splitting, open_dataset, preparation_key, prepare
from sakd.data.parameters import DataParameters
from sakd.data.sources.classes import in_order
from sakd.foundation.errors import UserError

FORMS = ["folder", "parquet", "labels"]
NFC, NFD = "caf\xe9", "cafe\u0301"

Store = Callable[..., Dataset]


@pytest.fixture(params=FORMS)
def store(request: pytest.FixtureRequest, tmp_path: Path, write_parquet, encode, draw) -> Store:
    """Write four images of each class of each split, in one of three forms."""

    def make(parts: dict[str, Sequence[str]], **options: object) -> Dataset:
        lines, seed = ["file,label,split"], 0
        for split, names in parts.items():
            contents, labels = [], []
            for label, name in enumerate(names):
                for number in range(4):
                    seed += 1
                    contents.append(encode(draw(seed)))
                    labels.append(label)
                    place = tmp_path / split / name / f"{number}.png"
                    if request.param != "parquet":
                        place.parent.mkdir(parents=True, exist_ok=True)
                        place.write_bytes(contents[-1])
                    lines.append(f"{split}/{name}/{number}.png,{name},{split}")
            if request.param == "parquet":
                write_parquet(tmp_path / f"{split}.parquet", contents, names, label=labels)
        if request.param == "labels":
            (tmp_path / "labels.csv").write_text("\n".join(lines))
            return open_dataset("folder", tmp_path, labels="labels.csv", **options)
        return open_dataset(request.param, tmp_path, **options)

    return make


def test_whole_numbers_are_in_the_order_of_their_values() -> None:
    assert in_order(map(str, range(12))) == tuple(map(str, range(12)))
    assert in_order(["10", "b", "9", "-1", "a", "007"]) == ("-1", "007", "9", "10", "a", "b")


def test_classes_are_in_the_order_asked_for_and_so_are_their_labels(store: Store) -> None:
    first = store({"train": ["ant", "bee", "cat"], "test": ["ant", "bee", "cat"]})
    usual = first.load()
    assert usual.classes == ("ant", "bee", "cat")
    order = ("cat", "ant", "bee")
    raw = open_dataset(
        first.name, first.path, classes=order, labels=getattr(first, "labels", None)
    ).load()
    assert raw.classes == order
    for split in ("train", "test"):
        named = [
            sorted(
                (digest, each.classes[label])
                for digest, label in zip(
                    getattr(each, split).digests(), getattr(each, split).labels, strict=True
                )
            )
            for each in (usual, raw)
        ]
        assert named[0] == named[1]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (("ant", "wasp"), "data.classes: wasp unknown; bee missing; name each of ant, bee once"),
        (("ant", "bee", "ant"), "data.classes: ant named twice; name each of ant, bee once"),
    ],
)
def test_an_order_of_other_classes_is_refused_at_the_door(
    store: Store, order: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        store({"train": ["ant", "bee"], "test": ["ant", "bee"]}, classes=order).check()


def test_the_order_is_part_of_the_key_and_is_logged(
    tmp_path: Path, write_folder, caplog: pytest.LogCaptureFixture
) -> None:
    top = write_folder(tmp_path, classes="0 1 2 10")
    default = DataParameters(name="folder", path=top)
    other = DataParameters(name="folder", path=top, classes=("10", "2", "1", "0"))
    keys = [preparation_key(p.dataset().fingerprint(), p.splitting()) for p in (default, other)]
    assert keys[0] != keys[1]
    with caplog.at_level(logging.INFO):
        assert default.dataset().load().classes == ("0", "1", "2", "10")
        other.dataset().load()
    assert "classes in order: 0, 1, 2, 10" in caplog.text
    assert "classes in order: 10, 2, 1, 0" in caplog.text


def test_digits_in_another_order_are_the_same_digits() -> None:
    usual = open_dataset("digits").load()
    raw = open_dataset("digits", classes=tuple("9876543210")).load()
    assert torch.equal(raw.train.labels, 9 - usual.train.labels)
    assert raw.classes == tuple("9876543210")


def test_val_and_test_may_lack_a_class_and_that_is_said(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = store({"train": ["ant", "bee", "cat"], "test": ["ant", "bee"], "val": ["cat"]})
    dataset.check()
    raw = dataset.load()
    assert raw.test is not None
    assert raw.val is not None
    assert raw.test.labels.unique().tolist() == [0, 1]
    assert raw.val.labels.unique().tolist() == [2]
    said = ["val has no image of ant, bee", "test has no image of cat"]
    card = prepare(raw, Splitting(0.2), name="x").card
    assert all(any(words in note for note in card.notes) for words in said)
    assert all(words in caplog.text for words in said)
    assert card.counts["test"] == (4, 4, 0)


def test_a_class_that_train_has_not_is_refused(store: Store) -> None:
    with pytest.raises(UserError, match="classes that train has not: wasp; add them to train"):
        store({"train": ["ant", "bee"], "test": ["ant", "wasp"]}).check()


def test_an_empty_folder_of_a_class_counts_as_lacking_it(tmp_path: Path, write_folder) -> None:
    top = write_folder(tmp_path, splits="train test")
    for name in ("bee", "wasp"):
        (top / "val" / name).mkdir(parents=True)
    (top / "val" / "ant").symlink_to(top / "test" / "ant")
    raw = open_dataset("folder", top).load()
    assert raw.val is not None
    assert raw.val.labels.tolist() == [0] * 4


def test_names_that_look_the_same_are_the_same(store: Store) -> None:
    raw = store({"train": [NFC, "the"], "test": [NFD, "the"]}).load()
    assert raw.classes == (NFC, "the")
    assert raw.test is not None
    assert raw.test.labels.bincount().tolist() == [4, 4]
    dataset = open_dataset("digits", classes=(NFD,))
    with pytest.raises(UserError, match=unicodedata.normalize("NFC", NFD)):
        dataset.load()


def test_two_folders_whose_names_look_the_same_are_one_class(tmp_path: Path, write_folder) -> None:
    raw = open_dataset("folder", write_folder(tmp_path, classes=f"{NFC} {NFD} the")).load()
    assert raw.classes == (NFC, "the")
    assert raw.train.labels.bincount().tolist() == [8, 4]
