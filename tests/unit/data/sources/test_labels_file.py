"""A CSV file that names images, their labels and their splits."""

from pathlib import Path

import pytest

from sakd.data import Dataset, open_dataset
from sakd.foundation.errors import UserError

ROWS = [(f"images/{number}.png", ["ant", "bee"][number % 2]) for number in range(12)]


@pytest.fixture
def top(tmp_path: Path, encode, draw) -> Path:
    (tmp_path / "images").mkdir()
    for number, (file, _) in enumerate(ROWS):
        (tmp_path / file).write_bytes(encode(draw(number)))
    return tmp_path


def dataset(top: Path, *lines: str, **options: object) -> Dataset:
    (top / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return open_dataset("folder", top, labels="labels.csv", **options)


@pytest.mark.parametrize(
    ("head", "between"),
    [(("file", "label"), ","), (("Image", "CLASS"), ";"), (("file_name", "label"), "\t")],
)
def test_files_and_labels_are_found_in_their_columns(
    top: Path, head: tuple[str, str], between: str
) -> None:
    lines = [between.join(("number", *head))]
    lines += [between.join((str(k), f'"{file}"', label)) for k, (file, label) in enumerate(ROWS)]
    raw = dataset(top, *lines).load()
    assert raw.classes == ("ant", "bee")
    assert raw.train.labels.tolist() == [0] * 6 + [1] * 6
    assert (raw.val, raw.test) == (None, None)


def test_the_column_of_splits_is_followed(top: Path) -> None:
    splits = ["Train"] * 8 + ["dev"] * 2 + ["testing"] * 2
    lines = [",".join((*row, split)) for row, split in zip(ROWS, splits, strict=True)]
    found = dataset(top, "\ufefffile,label,split", *lines)
    raw = found.load()
    assert raw.val is not None
    assert raw.test is not None
    assert [len(part) for part in (raw.train, raw.val, raw.test)] == [8, 2, 2]
    assert found.has_test()


def test_the_fingerprint_follows_the_labels(top: Path) -> None:
    lines = [",".join(row) for row in ROWS]
    before = dataset(top, "file,label", *lines).fingerprint()
    assert dataset(top, "file,label", *lines).fingerprint() == before
    lines[0] = lines[0].replace("ant", "bee")
    assert dataset(top, "file,label", *lines).fingerprint() != before
    streamed = dataset(top, "file,label", *lines, streamed=True, workers=0)
    before = streamed.fingerprint()
    lines[0] = lines[0].replace("bee", "ant")
    assert dataset(top, "file,label", *lines, streamed=True, workers=0).fingerprint() != before


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("name,label",), "has the columns name, label and none called file or"),
        (("file,kind",), "has the columns file, kind and none called label or class"),
        (("file,label",), "names no images; add rows"),
        (("file,label", "images/0.png,"), "line 2 of .* has the label ''; give it"),
        (("file,label", "../0.png,ant"), r"line 2 of .* names \.\./0.png, which is not in"),
        (("file,label", "/0.png,ant"), "line 2 of .* names /0.png, which is not in"),
        (("file,label", "0.png,ant"), "1 of 1 images in .* are not there: 0.png; paths are"),
        (("file,label", *["images/0.png,ant"] * 2), "images more than once: images/0.png; keep"),
        (("file,label,split", "images/0.png,ant,eval"), "split .* has eval, which may mean"),
        (("file,label,split", "images/0.png,ant,test"), "no image for train; name some"),
        (('file,label\n"images/0.png,ant',), "is not a CSV file .*; write it again"),
    ],
)
def test_another_file_is_refused_at_the_door_in_one_line(
    top: Path, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message) as error:
        dataset(top, *lines).check()
    assert "\n" not in str(error.value)


def test_a_missing_file_is_refused_and_so_are_nested_folders_with_it(top: Path) -> None:
    with pytest.raises(UserError, match=r"data.options.labels: no file .*gone.csv; put it there"):
        open_dataset("folder", top, labels="gone.csv").check()
    with pytest.raises(UserError, match=r"names each file, so leave data.options.nested out"):
        open_dataset("folder", top, labels="labels.csv", nested=True)


def test_images_that_are_not_there_can_be_left_out(top: Path) -> None:
    lines = [",".join(row) for row in [*ROWS, ("images/gone.png", "ant")]]
    raw = dataset(top, "file,label", *lines, on_error="skip").load()
    assert len(raw.train) == len(ROWS)
    assert raw.skipped == ("images/gone.png (No such file or directory)",)
