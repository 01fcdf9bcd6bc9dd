"""Published archives: fetched once, by checksum, and unpacked; whole or not at all."""

from __future__ import annotations

import hashlib
import logging
import math
import shutil
import zipfile
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple
from urllib.request import Request, urlopen

from sakd.foundation.console import counting
from sakd.foundation.errors import UserError, require

CHUNK = 2**20  # bytes: the bar counts MiB
PATIENCE = 60  # seconds without an answer

logger = logging.getLogger(__name__)


class Archive(NamedTuple):
    """A published file.

    Attributes:
        url: Where it is published.
        md5: Its published checksum, in hexadecimal.
    """

    url: str
    md5: str

    @property
    def name(self) -> str:
        """What the file is called."""
        return self.url.rpartition("/")[2]


def fetch_archive(archive: Archive, folder: Path, unpacked: str, *, download: bool) -> None:
    """Have ``unpacked``, the folder that ``archive`` holds, in ``folder``.

    The archive is downloaded where it is not in ``folder`` already, and stays there. What does not
    have the checksum is not unpacked. An interruption leaves nothing that looks complete.

    Args:
        archive: What to fetch.
        folder: Where to put it, and what is in it.
        unpacked: The name of the folder in the archive.
        download: Whether the network may be used.

    Raises:
        UserError: It cannot be had, or is damaged; says what to do.
    """
    file = folder / archive.name
    place = folder / unpacked
    require(not place.exists(), f"{place} is incomplete; delete it, and it is unpacked again")
    folder.mkdir(parents=True, exist_ok=True)
    if download and not file.exists():
        _download(archive, file)
    _check(archive, file, f"delete {file}, and it is fetched again")
    logger.info("unpacking %s", file)
    with TemporaryDirectory(dir=folder, prefix=".unpacking-") as aside:
        _unpack(file, Path(aside))
        found = Path(aside) / unpacked
        require(found.is_dir(), f"{file} holds no folder {unpacked}; delete it and fetch it again")
        found.replace(place)


def _download(archive: Archive, file: Path) -> None:
    partial = file.with_name(f"{file.name}.partial")
    logger.info("downloading %s", archive.url)
    try:
        request = Request(archive.url, headers={"User-Agent": "sakd"})  # noqa: S310 - as published
        with urlopen(request, timeout=PATIENCE) as answer, partial.open("wb") as content:  # noqa: S310
            _copy(answer, content, archive.name)
        _check(archive, partial, f"try again, or put the archive into {file.parent}")
        partial.replace(file)
    except (OSError, HTTPException) as error:
        reason = str(getattr(error, "reason", error)) or type(error).__name__
        by_hand = f"get it by other means and put it into {file.parent}"
        message = f"{archive.url} could not be downloaded ({reason}); try again, or {by_hand}"
        raise UserError(message) from error
    finally:
        partial.unlink(missing_ok=True)


def _copy(answer: HTTPResponse, content: BinaryIO, name: str) -> None:
    total = math.ceil((answer.length or 0) / CHUNK)
    advance: Callable[[int], None]
    with counting(f"downloading {name}, MiB", total) as advance:
        while chunk := answer.read(CHUNK):
            content.write(chunk)
            advance(1)


def _check(archive: Archive, file: Path, remedy: str) -> None:
    require(file.is_file(), f"no {file}; allow the download, or put it there")
    with file.open("rb") as content:
        md5 = hashlib.file_digest(content, _published_digest).hexdigest()
    found = f"what there is of {archive.url} is damaged or another file"
    require(md5 == archive.md5, f"{found} (md5 {md5} instead of {archive.md5}); {remedy}")


def _published_digest() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)  # what is published, and no secret


def _unpack(file: Path, folder: Path) -> None:
    if zipfile.is_zipfile(file):
        shutil.unpack_archive(file, folder, "zip")
    else:
        shutil.unpack_archive(file, folder, filter="data")
