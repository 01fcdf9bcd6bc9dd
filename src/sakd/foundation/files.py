"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from safetensors import SafetensorError

from sakd.foundation.errors import UserError


@contextmanager
def at_once(path: Path) -> Iterator[Path]:
    """Yield a file to write to, which replaces ``path`` once it is complete.

    Raises:
        OSError: The file cannot be written; errors of torch and safetensors become this one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise OSError(f"{path} cannot be written: {reason}") from error
    finally:
        partial.unlink(missing_ok=True)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of ``files`` by their names; it replaces ``folder`` once it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as place:
        new, old = Path(place, "new"), Path(place, "old")
        new.mkdir()
        for name, content in files.items():
            (new / name).write_bytes(content)
        if folder.exists():
            folder.replace(old)
        new.replace(folder)


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


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` to ``path``, whole or not at all."""
    with at_once(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n")
