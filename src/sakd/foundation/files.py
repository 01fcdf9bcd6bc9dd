"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import platform
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from sakd.foundation.errors import UserError
from sakd.foundation.processes import process_runs

PARTIAL = ".partial"
"""The ending of the folders in which files are written before they take their place."""

DAY = 86400.0


@contextmanager
def at_once(path: Path, *, lasting: bool = True) -> Iterator[Path]:
    """Yield a file to write to, which replaces ``path`` once it is complete and on the disk.

    It lies in a folder of its own, with all that a library writes on the way. A folder that a
    killed process has left for ``path`` is removed. The file gets the mode of any new file.

    Args:
        path: The file.
        lasting: Whether to wait for the disk, so that the file outlasts a loss of power.

    Raises:
        OSError: The file cannot be written; errors of torch and safetensors become this one.
    """
    with _workshop(path) as place:
        partial = place / path.name
        partial.touch()
        mode = partial.stat().st_mode
        try:
            yield partial
            partial.chmod(mode)
            if lasting:
                _sync(partial)
            partial.replace(path)
        except (SafetensorError, RuntimeError) as error:
            reason = str(error).partition("\n")[0]
            raise OSError(f"{path} cannot be written: {reason}") from error
        except OSError as error:
            raise _named(error, path) from error
    if lasting:
        _sync_folder(path.parent)


@contextmanager
def folder_at_once(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to write to, which replaces ``folder`` once it is complete.

    Raises:
        OSError: It cannot be written.
    """
    with _workshop(folder) as place:
        new, old = place / "new", place / "old"
        new.mkdir()
        yield new
        for path in new.rglob("*"):
            if path.is_file():
                _sync(path)
        if folder.exists():
            folder.replace(old)
        new.replace(folder)
    _sync_folder(folder.parent)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of ``files`` by their names; it replaces ``folder`` once it is complete.

    Raises:
        OSError: It cannot be written.
    """
    with folder_at_once(folder) as new:
        for name, content in files.items():
            (new / name).write_bytes(content)


def openable(path: Path) -> Path:
    """Give ``path``, unless it is a pipe or a device, whose reader may wait for ever.

    Raises:
        OSError: It is one or a folder, or there is no such file.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "a pipe or a device, not a file", str(path))
    return path


@contextmanager
def readable() -> Iterator[None]:
    """Turn a refusal by the operating system to read a file into one line that names it.

    Raises:
        UserError: A file cannot be read.
    """
    try:
        yield
    except OSError as error:
        found = f"{error.filename} cannot be read ({error.strerror})"
        raise UserError(f"{found}; make it readable, or remove it") from error


def write_json(path: Path, content: Mapping[str, Any], *, lasting: bool = True) -> None:
    """Write ``content`` to ``path``, whole or not at all; for ``lasting`` see `at_once`."""
    with at_once(path, lasting=lasting) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n")


def remove_partial(folder: Path) -> None:
    """Remove what was left half-written in ``folder`` and below, where nobody else writes now."""
    for place in folder.rglob(f"*{PARTIAL}"):
        _remove(place)


def remove_abandoned(folder: Path, name: str) -> None:
    """Remove what killed processes have left half-written for ``name...`` in ``folder``."""
    for place in folder.iterdir():
        if place.name.startswith(name) and place.suffix == PARTIAL and _abandoned(place):
            _remove(place)


@contextmanager
def _workshop(path: Path) -> Iterator[Path]:
    """Make a folder next to ``path`` for the time in which it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path.parent, f"{path.name}.")
    place = path.with_name(f"{path.name}.{platform.node()}.{os.getpid()}{PARTIAL}")
    try:
        place.mkdir(exist_ok=True)
    except OSError as error:
        raise _named(error, path) from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _abandoned(place: Path) -> bool:
    """Tell whether nobody is at a half-written file: its process is gone, or it is a day old."""
    owner, _, process = place.stem.rpartition(".")
    if owner.endswith(f".{platform.node()}") and process.isdecimal():
        return not process_runs(int(process))
    with suppress(FileNotFoundError):  # of another machine, or of another version
        return time.time() - place.stat().st_mtime > DAY
    return False


def _remove(place: Path) -> None:
    """Remove a file or a folder, which another process may do at the same time."""
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


def _named(error: OSError, path: Path) -> OSError:
    """Give an error of the operating system that names ``path``."""
    if error.errno is None:
        return error
    return OSError(error.errno, error.strerror or os.strerror(error.errno), str(path))


def _sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the file system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
