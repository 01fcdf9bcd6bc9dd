"""Changed files of every kind are read, or refused with a declared error; `make fuzz` has more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz import complaints, line, shares
from fuzz_json import TRAP
from fuzz_process import quiet
from fuzz_readers import READERS
from fuzz_trial import ACCEPTED, REFUSED, UNDECLARED, Desk, Late, Outcome, Passed, Reader

from sakd.foundation.errors import UserError

INPUTS = 12


@pytest.mark.parametrize("reader", READERS, ids=[reader.name for reader in READERS])
def test_changed_files_are_read_or_refused_as_declared(reader: Reader, tmp_path: Path) -> None:
    with quiet():
        desk = Desk(reader, tmp_path)
        found = [desk.try_input(number) for number in range(INPUTS)]
        assert reader.read(tmp_path) == desk.value
    assert not complaints(reader, found, trace=True)


def written(folder: Path) -> None:
    (folder / "a.txt").write_text("valid")


def whole(folder: Path) -> str:
    text = (folder / "a.txt").read_bytes()
    if text != b"valid":
        raise UserError("damaged")
    return "valid"


def failing(error: BaseException) -> Callable[[Path], str]:
    def read(folder: Path) -> str:
        if whole_or_none(folder) is None:
            raise error
        return "valid"

    return read


def whole_or_none(folder: Path) -> str | None:
    return "valid" if (folder / "a.txt").read_bytes() == b"valid" else None


def importing(folder: Path) -> str:
    if whole_or_none(folder) is None:
        __import__(TRAP)
    return "valid"


@pytest.mark.parametrize(
    ("read", "kind", "words"),
    [
        (whole, REFUSED, ""),
        (failing(Passed()), REFUSED, ""),
        (failing(FileNotFoundError(2, "none", "a.txt")), REFUSED, ""),
        (lambda _: "valid", ACCEPTED, ""),
        (failing(KeyError("x")), UNDECLARED, "KeyError in test_fuzz.py"),
        (failing(MemoryError()), UNDECLARED, "MemoryError in test_fuzz.py"),
        (failing(Late("10 seconds")), UNDECLARED, "Late in test_fuzz.py"),
        (failing(OSError("odd")), UNDECLARED, "OSError without a file"),
        (failing(OSError(2, "none\n", "a.txt")), UNDECLARED, "FileNotFoundError of several lines"),
        (failing(OSError(2, "\x1b", "a.txt")), UNDECLARED, "FileNotFoundError with codes"),
        (whole_or_none, UNDECLARED, "damage was not found"),
        (importing, UNDECLARED, "code that a file names was imported"),
    ],
)
def test_each_outcome_is_told(
    read: Callable[[Path], object], kind: str, words: str, tmp_path: Path
) -> None:
    reader = Reader("text", 1, written, read, sealed=True)
    with quiet():
        desk = Desk(reader, tmp_path)
        outcome = desk.try_input(3)
    assert (outcome.kind, outcome.words.startswith(words)) == (kind, True)
    assert (tmp_path / "a.txt").read_text() == "valid"
    assert TRAP not in sys.modules


def test_the_same_number_is_the_same_input(tmp_path: Path) -> None:
    kept: list[bytes] = []

    def read(folder: Path) -> str:
        kept.append((folder / "a.txt").read_bytes())
        return ""

    desk = Desk(Reader("text", 1, written, read), tmp_path)
    for number in (1, 2, 3, 1, 2, 3):
        desk.try_input(number)
    assert kept[1:4] == kept[4:]
    assert len(set(kept)) > 2


def test_inputs_are_shared_out_and_counted() -> None:
    parts = shares(READERS, 20_000)
    assert sum(parts) == 20_000
    assert min(parts) > 0
    found = [Outcome(0, ACCEPTED), Outcome(1, UNDECLARED, "x", seconds=0.5, memory=2**21)]
    assert line(READERS[0], found) == ("image folder", "2", "1", "0", "1", "500", "2")
    (said,) = complaints(READERS[0], [*found, *found], trace=False)
    assert "x (2 times" in said
    assert "--first 1" in said
