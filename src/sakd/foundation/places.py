"""Places of files that are written at the end of long work."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from sakd.foundation.files import at_once


class _TriedError(Exception):
    """Ends an attempt before it replaces a file."""


def check_place(path: Path) -> None:
    """Check before the work that `at_once` can write a file there; one that is there stays.

    Its folder is made, as it will be needed.

    Raises:
        OSError: It cannot be written, or is a folder.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with suppress(_TriedError), at_once(path, lasting=False):
        raise _TriedError
