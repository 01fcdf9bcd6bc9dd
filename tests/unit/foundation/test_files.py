"""Files are written whole or not at all, and a kill leaves nothing behind for long."""

from __future__ import annotations

import errno
import os
import platform
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from sakd.foundation.files import (
    at_once,
    folder_at_once,
    remove_partial,
    write_folder,
    write_json,
)


def write_text(path: Path) -> None:
    path.write_text("whole")


def write_tensors(path: Path) -> None:
    save_file({"a": torch.zeros(2)}, path)


def write_checkpoint(path: Path) -> None:
    torch.save({"a": 1}, path)


@pytest.mark.parametrize("write", [write_text, write_tensors, write_checkpoint])
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_files_of_every_kind_get_the_mode_of_a_new_file(
    tmp_path: Path, write: Callable[[Path], None], mask: int
) -> None:
    before = os.umask(mask)
    try:
        with at_once(tmp_path / "file") as partial:
            write(partial)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("write", [write_text, write_tensors])
def test_a_file_and_its_folder_are_on_the_disk_before_the_write_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
) -> None:
    synced: list[str] = []

    def fsync(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))

    monkeypatch.setattr(os, "fsync", fsync)
    with at_once(tmp_path / "file") as partial:
        write(partial)
        assert not synced
    inside, folder = synced
    assert inside == str(partial)
    assert folder == str(tmp_path)


def test_a_file_of_the_moment_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _handle: pytest.fail("waits"))
    write_json(tmp_path / "file", {}, lasting=False)
    assert (tmp_path / "file").read_text() == "{}\n"


@pytest.mark.parametrize("error", [SafetensorError("I/O error"), RuntimeError("unexpected pos")])
def test_any_librarys_failure_to_write_is_an_error_of_the_disk_and_leaves_nothing(
    tmp_path: Path, error: Exception
) -> None:
    def write() -> None:
        with at_once(tmp_path / "network.safetensors") as partial:
            partial.write_bytes(b"half")
            raise error

    with pytest.raises(OSError, match=rf"network\.safetensors cannot be written: {error}"):
        write()
    assert not list(tmp_path.iterdir())


def test_an_error_of_the_system_without_a_name_gets_that_of_the_file(tmp_path: Path) -> None:
    def write() -> None:
        with at_once(tmp_path / "last.safetensors"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: .*last\.safetensors'") as caught:
        write()
    assert caught.value.errno == errno.ENOSPC


def test_a_folder_that_cannot_be_written_is_an_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(place: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(place))

    (tmp_path / "row").mkdir()
    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(os, "makedirs", refuse)
    with pytest.raises(OSError, match="Permission denied"), at_once(tmp_path / "row" / "card.json"):
        pass


def test_a_card_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    write_json(path, {"epoch": 1})
    with pytest.raises(TypeError):
        write_json(path, {"epoch": {2}})
    assert path.read_text() == '{\n  "epoch": 1\n}\n'


KILLED = """
import os, signal, sys
from pathlib import Path
from sakd.foundation.files import at_once, folder_at_once
with {function}(Path(sys.argv[1])) as partial:
    {write}
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_while_writing(path: Path, function: str, write: str) -> None:
    program = KILLED.format(function=function, write=write)
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert [each.suffix for each in path.parent.iterdir()] == [".partial"]


def test_what_a_kill_leaves_of_a_file_goes_with_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "file"
    kill_while_writing(path, "at_once", "(partial.parent / '.tmpABC').write_text('half')")
    write_json(path, {})
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_leaves_of_a_folder_goes_with_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "tables"
    kill_while_writing(path, "folder_at_once", "(partial / 'a').write_text('half')")
    write_folder(path, {"a": b"whole"})
    assert list(tmp_path.iterdir()) == [path]
    assert (path / "a").read_bytes() == b"whole"


def test_what_another_process_is_writing_stays(tmp_path: Path) -> None:
    theirs = tmp_path / f"file.{platform.node()}.{os.getppid()}.partial"
    elsewhere = tmp_path / "file.another-host.1.partial"
    for place in (theirs, elsewhere):
        place.mkdir()
    write_json(tmp_path / "file", {})
    assert theirs.exists()
    assert elsewhere.exists()


def test_what_another_machine_left_goes_after_a_day(tmp_path: Path) -> None:
    left = tmp_path / "file.another-host.1.partial"
    left.mkdir()
    os.utime(left, (time.time() - 2 * 86400,) * 2)
    write_json(tmp_path / "file", {})
    assert not left.exists()


def test_all_that_is_half_written_goes_where_nobody_writes(tmp_path: Path) -> None:
    (tmp_path / "epochs" / "0001.safetensors.host.17.partial").mkdir(parents=True)
    (tmp_path / "checkpoint.pt.17.partial").write_bytes(b"half")
    (tmp_path / "record.json").write_text("{}")
    remove_partial(tmp_path)
    found = {path.name for path in tmp_path.rglob("*")}
    assert found == {"epochs", "record.json"}


def test_a_folder_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    write_folder(tmp_path / "tables", {"a": b"old"})

    def write() -> None:
        with folder_at_once(tmp_path / "tables") as new:
            (new / "a").write_bytes(b"new")
            raise ValueError("no table")

    with pytest.raises(ValueError, match="no table"):
        write()
    assert (tmp_path / "tables" / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]
