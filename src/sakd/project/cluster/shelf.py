"""Places where cells are kept that are no folders, such as S3."""

from __future__ import annotations

from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from sakd.foundation.errors import UserError
from sakd.foundation.extras import require_extra
from sakd.project.errors import one_line

RECORD = "record.json"
"""The file of a training that is copied last: it implies all others."""


def opened(url: str) -> tuple[Any, str]:
    """Open the store at ``url``; give its file system, and the place in it.

    Raises:
        UserError: There is no such kind of store, or its package is not installed.
    """
    if url.startswith("s3:"):
        require_extra("ray", "s3fs")
    try:
        files, place = url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        found = f"the store {url} cannot be opened ({one_line(error)})"
        raise UserError(f"{found}: name one such as s3://BUCKET/FOLDER") from error
    if isinstance(files, LocalFileSystem):
        files.auto_mkdir = True
    return files, place.rstrip("/")


def check_store(url: str) -> None:
    """Write a file to the store at ``url``, and remove it.

    Raises:
        UserError: That does not work.
    """
    files, place = opened(url)
    try:
        files.pipe_file(f"{place}/.writable", b"yes\n")
        files.rm_file(f"{place}/.writable")
    except Exception as error:  # each kind of store has its own
        found = f"the store {url} cannot be written ({one_line(error)})"
        raise UserError(f"{found}: make it, or see to your rights there") from error
