"""Places of files are tried before long work, and left as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from sakd.foundation.places import check_place


def test_a_file_that_is_there_stays_and_a_new_one_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("mine")
    check_place(tmp_path / "old")
    check_place(tmp_path / "folder" / "new")
    assert (tmp_path / "old").read_text() == "mine"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["old"]
    assert not any((tmp_path / "folder").iterdir())


@pytest.mark.parametrize("name", ["folder", "file/new", "x" * 300])
def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=name.partition("/")[0]):
        check_place(tmp_path / name)
