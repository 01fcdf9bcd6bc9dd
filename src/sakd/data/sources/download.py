"""Published archives: fetched once, by checksum, and unpacked; whole or not at all."""

from __future__ import annotations

import hashlib
import logging
import shutil
import socket
import sys
import zipfile
from http.client import HTTPException
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from torch.hub import download_url_to_file

from sakd.foundation.errors import UserError, require

PATIENCE = 60  # seconds without an answer
# Python before 3.11.4 takes no filter of members; an archive is unpacked by its checksum alone.
_FILTERED = "filter" in signature(shutil.unpack_archive).parameters

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
        """The name of the file."""
        return self.url.rpartition("/")[2]


def fetch_archive(archive: Archive, folder: Path, unpacked: str, *, download: bool) -> None:
    """Make sure that ``unpacked``, the folder that ``archive`` holds, is in ``folder``.

    The archive is downloaded unless it is in ``folder`` already, and stays there. It is unpacked
    only if it has the checksum. An interruption leaves nothing that looks complete.

    Args:
        archive: The file to fetch.
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
    with TemporaryDirectory(dir=folder, prefix=".fetching-") as aside:
        if download and not file.exists():
            _download(archive, Path(aside) / archive.name).replace(file)
        _check(archive, file, f"delete {file}, and it is fetched again")
        logger.info("unpacking %s", file)
        _unpack(file, Path(aside))
        found = Path(aside) / unpacked
        require(found.is_dir(), f"{file} holds no folder {unpacked}; delete it and fetch it again")
        found.replace(place)


def _download(archive: Archive, file: Path) -> Path:
    logger.info("downloading %s", archive.url)
    folder, before = file.parent.parent, socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        download_url_to_file(archive.url, str(file), progress=sys.stderr.isatty())
    except (OSError, HTTPException) as error:
        reason = str(getattr(error, "reason", error)) or type(error).__name__
        by_hand = f"get it by other means and put it into {folder}"
        message = f"{archive.url} could not be downloaded ({reason}); try again, or {by_hand}"
        raise UserError(message) from error
    finally:
        socket.setdefaulttimeout(before)
    _check(archive, file, f"try again, or put the archive into {folder}")
    return file


def _check(archive: Archive, file: Path, remedy: str) -> None:
    require(file.is_file(), f"no {file}; allow the download, or put it there")
    with file.open("rb") as content:
        md5 = hashlib.file_digest(content, _published_digest).hexdigest()
    found = f"{file.name}, from {archive.url}, is damaged or another file"
    require(md5 == archive.md5, f"{found} (md5 {md5} instead of {archive.md5}); {remedy}")


def _published_digest() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)  # what is published, and no secret


def _unpack(file: Path, folder: Path) -> None:
    if zipfile.is_zipfile(file):
        shutil.unpack_archive(file, folder, "zip")
    elif _FILTERED:
        shutil.unpack_archive(file, folder, filter="data")
    else:
        shutil.unpack_archive(file, folder)
