"""The pictures that the user names: files, folders, patterns."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from sakd.data.sources.listing import ENDINGS
from sakd.foundation.errors import require


def pictures(named: Sequence[str]) -> list[Path]:
    """List the pictures that are meant, each once, in the order in which they are named.

    Args:
        named: Files, whatever they are called; folders, for all files in them and below that are
            called like images; and patterns, such as ``photos/*.jpg``. A file that is not there is
            listed too: reading it will say so.

    Raises:
        UserError: A folder has no images, or no file is called like a pattern.
    """
    return list(dict.fromkeys(path for name in named for path in _meant(name)))


def _meant(name: str) -> Iterator[Path]:
    path = Path(name)
    if path.is_dir():
        found = [each for each in sorted(path.rglob("*")) if _visible(each.relative_to(path))]
        images = [each for each in found if each.suffix.lower() in ENDINGS and not each.is_dir()]
        allowed = f"files that end in {', '.join(ENDINGS)}"
        require(bool(images), f"the folder {name} has no images; allowed: {allowed}")
        yield from images
    elif path.exists() or not glob.has_magic(name):
        yield path
    else:
        files = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - absolute patterns too
        require(bool(files), f"no file is called like {name!r}; correct the pattern")
        yield from map(Path, files)


def _visible(path: Path) -> bool:
    return not any(part.startswith(".") for part in path.parts)
