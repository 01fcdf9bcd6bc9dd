"""Files that ``torch.save`` wrote, read without running anything in them."""

from __future__ import annotations

import warnings
from pathlib import Path
from pickle import UnpicklingError
from zipfile import ZIP_STORED, ZipFile, is_zipfile

import torch

from sakd.foundation.files import openable
from sakd.foundation.sealing import AGAIN, damaged


def load_archive(path: Path, remedy: str = AGAIN) -> object:
    """Read tensors and plain values; compare the archive with the checksums of its parts (CRC-32).

    Args:
        path: The file.
        remedy: How to get it again, for messages.

    Raises:
        OSError: There is no such file, or it cannot be opened.
        UnpicklingError: It holds objects of other types, or is no such file.
        DamagedError: It is not what was written.
    """
    with openable(path).open("rb"):  # or say in the words of the system why not
        pass
    try:
        if is_zipfile(path):
            _check(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on forms of pickles, in which it builds nothing else
            return torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, UnpicklingError, MemoryError):  # another run may delete it meanwhile
        raise
    except Exception as error:  # as many kinds as there are places to damage
        raise damaged(path, str(error) or type(error).__name__, remedy) from error


def _check(path: Path) -> None:
    """Check that no part is packed, which would fill the memory, and compare the checksums.

    Raises:
        ValueError: A part is not as torch writes it.
    """
    with ZipFile(path) as archive:
        parts = archive.infolist()
        packed = next((part.filename for part in parts if part.compress_type != ZIP_STORED), None)
        if packed is not None:
            raise ValueError(f"{packed} is packed, which torch does not do")
        if sum(part.file_size for part in parts) > path.stat().st_size:
            raise ValueError("its parts are larger than the file")
        if (broken := archive.testzip()) is not None:
            raise ValueError(f"{broken} and its checksum differ")
