"""Folders and parquet files are taken as the split that their names mean, or refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sakd.data import open_dataset
from sakd.foundation.errors import UserError

Store = Callable[..., Path]


@pytest.fixture(params=["folder", "parquet"])
def form(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def store(tmp_path: Path, form: str, write_folder, write_parquet, encode, draw) -> Store:
    """Write four images of two classes for each of the names, as a folder or as a file."""

    def write(*names: str) -> Path:
        if form == "folder":
            return write_folder(tmp_path, count=2, splits=" ".join(names))
        for number, name in enumerate(names):
            contents = [encode(draw(4 * number + k)) for k in range(4)]
            file = tmp_path / f"{name}-00000-of-00001.parquet"
            write_parquet(file, contents, ["ant", "bee"], label=[0, 1, 0, 1])
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("train", "name", "split"),
    [
        ("train", "val", "val"),
        ("train", "Valid", "val"),
        ("TRAINING", "validation", "val"),
        ("train", "dev", "val"),
        ("Train", "TEST", "test"),
        ("training", "testing", "test"),
    ],
)
def test_the_names_of_splits_are_known_in_small_and_capital_letters(
    store: Store, form: str, train: str, name: str, split: str
) -> None:
    raw = open_dataset(form, store(train, name)).load()
    there = {s for s in ("val", "test") if getattr(raw, s) is not None}
    assert (len(raw.train), there) == (4, {split})


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("train", "eval"), "has eval, which may mean validation or test images; call it"),
        (("train", "Evaluation"), "has Evaluation, which may mean .*; call it"),
        (("train", "dev", "val"), "has dev and val; keep one of them"),
        (("train", "Train"), "has Train and train; keep one of them"),
        (("train", "extra"), "has extra next to the splits; allowed: train, .*; rename or remove"),
        (("dev", "test"), "no train"),
    ],
)
def test_names_of_no_split_or_of_several_are_refused(
    store: Store, form: str, names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message) as error:
        open_dataset(form, store(*names)).check()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["train", "train_0", "train1", "train-0", "Train-0-of-1-ab12"])
def test_the_letters_that_a_parquet_file_begins_with_tell_its_split(
    tmp_path: Path, write_parquet, encode, draw, name: str
) -> None:
    contents = [encode(draw(k)) for k in range(8)]
    write_parquet(tmp_path / f"{name}.parquet", contents, ["a", "b"], label=[0, 1] * 4)
    assert len(open_dataset("parquet", tmp_path).load().train) == 8


def test_a_parquet_file_of_which_only_the_first_word_is_a_split_is_refused(
    tmp_path: Path, write_parquet, encode, draw
) -> None:
    for name in ("train-0", "test_matched-0"):
        contents = [encode(draw(k)) for k in range(4)]
        write_parquet(tmp_path / f"{name}.parquet", contents, ["a", "b"], label=[0, 1] * 2)
    with pytest.raises(UserError, match=r"has test_matched-0.parquet next to the splits; .*rename"):
        open_dataset("parquet", tmp_path).check()
