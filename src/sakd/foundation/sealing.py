"""Checksums of kept files, by which damage is found before a file is used.

A JSON object holds its own, a file of tensors holds one in its header, and any other file has one
next to it, in the form of the command sha256sum. Files without a checksum, of earlier versions or
of somebody else, are read as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from sakd.foundation.errors import DamagedError
from sakd.foundation.files import at_once, openable, write_json

CHECKSUM = "checksum"
"""The entry of a JSON object with the SHA-256 of all others."""

DIGITS = 64
"""The length of a SHA-256 in hexadecimal digits."""

AGAIN = "delete it and run again"
"""The remedy for a damaged file, if nothing better is known."""


def damaged(path: Path, reason: object, remedy: str = AGAIN) -> DamagedError:
    """Say in one line that a file is damaged, how, and what to do."""
    first = str(reason).partition("\n")[0]
    return DamagedError(f"{path} is damaged ({first}): {remedy}")


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` with its checksum as a JSON object, whole or not at all."""
    plain = json.loads(json.dumps(content))
    write_json(path, {**plain, CHECKSUM: _checksum(plain)})


def read_sealed(path: Path, remedy: str = AGAIN) -> dict[str, Any]:
    """Read a JSON object without its checksum, which is compared if it has one.

    Args:
        path: The file.
        remedy: How to get it again, for messages.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedError: It is no JSON object, or not the one that was written.
    """
    try:
        content = json.loads(openable(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged(path, error, remedy) from error
    if not isinstance(content, dict):
        raise damaged(path, "it is no JSON object", remedy)
    if CHECKSUM not in content and not any(_was_checksum(name, content) for name in content):
        return content  # of an earlier version
    if not _is_checksum(CHECKSUM, content):
        raise damaged(path, "its content and its checksum differ", remedy)
    return {name: value for name, value in content.items() if name != CHECKSUM}


def file_sha256(path: Path) -> str:
    """Hash a file; one that has not changed since is not read again.

    Raises:
        OSError: It cannot be read.
    """
    stat = path.stat()
    return _file_sha256(path, stat.st_ino, stat.st_size, stat.st_mtime_ns)


@contextmanager
def sealed_at_once(path: Path) -> Iterator[Path]:
    """Yield a file to write to as `at_once` does, and keep its checksum next to it.

    Until the file has taken its place, the checksum of the one before stands there too, so that
    a process that is killed meanwhile leaves a file that fits.
    """
    beside, before = checksum_file(path), ""
    if path.exists():
        before = beside.read_text() if beside.exists() else _line(path)
    with at_once(path) as partial:
        yield partial
        now = _line(partial)
        with at_once(beside) as both:
            both.write_text(before + now)
    with at_once(beside) as one:
        one.write_text(now)


def check_sealed(path: Path, remedy: str = AGAIN) -> None:
    """Compare a file with the checksum next to it, if there is one.

    Args:
        path: The file.
        remedy: How to get it again, for messages.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedError: They differ.
    """
    beside, before = checksum_file(path), b""
    if not beside.exists():
        return
    while (told := openable(beside).read_bytes()) != before:
        known = [line.partition(b" ")[0] for line in told.splitlines()]
        if file_sha256(path).encode() in known:
            return
        before = told  # or another process has written both meanwhile
    raise damaged(path, f"its content is not that of {beside.name}", remedy)


def checksum_file(path: Path) -> Path:
    """Give the file with the checksum of ``path``."""
    return path.with_name(f"{path.name}.sha256")


def _line(path: Path) -> str:
    return f"{file_sha256(path)}  {path.name}\n"


def _was_checksum(name: str, content: Mapping[str, Any]) -> bool:
    """Tell whether an entry was the checksum before damage to its name, and perhaps to more."""
    return bool(get_close_matches(name, [CHECKSUM])) or _is_checksum(name, content)


def _is_checksum(name: str, content: Mapping[str, Any]) -> bool:
    """Tell whether an entry is the checksum of the others."""
    found = content.get(name)
    others = {other: value for other, value in content.items() if other != name}
    return isinstance(found, str) and len(found) == DIGITS and found == _checksum(others)


def _checksum(content: Mapping[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def _file_sha256(path: Path, *_state: int) -> str:
    with openable(path).open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
