"""Files are listed while other processes write and delete."""

from __future__ import annotations

import shutil
from pathlib import Path

from sakd.foundation.folders import files_below


def test_all_files_are_listed_with_their_sizes(tmp_path: Path) -> None:
    (tmp_path / "row" / "cell").mkdir(parents=True)
    (tmp_path / "a").write_text("a")
    (tmp_path / "row" / "cell" / "b").write_text("bb")
    (tmp_path / "row" / "link").symlink_to("nowhere")
    found = {
        path.relative_to(tmp_path).as_posix(): state.st_size
        for path, state in files_below(tmp_path)
    }
    assert found == {"a": 1, "row/cell/b": 2}
    assert list(files_below(tmp_path / "nothing")) == []


def test_what_goes_meanwhile_is_passed_over(tmp_path: Path) -> None:
    """One file is seen, and then the other one of its folder and the other folder go."""
    every = {tmp_path / folder / name for folder in "ab" for name in "cd"}
    for path in every:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    listed = files_below(tmp_path)
    first, _ = next(listed)
    (other,) = (path for path in every - {first} if path.parent == first.parent)
    other.unlink()
    (gone,) = {path.parent for path in every} - {first.parent}
    shutil.rmtree(gone)
    assert list(listed) == []
