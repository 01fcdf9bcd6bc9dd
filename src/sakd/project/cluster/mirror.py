"""Cells whose files are kept in a store that is no folder, such as S3."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from sakd.foundation.errors import UserError
from sakd.foundation.extras import require_extra
from sakd.foundation.files import PARTIAL
from sakd.foundation.sealing import AGAIN
from sakd.foundation.vocabulary import DONE
from sakd.project.cluster.leases import LASTS, Lease, held
from sakd.project.datasets import Handle
from sakd.project.errors import one_line
from sakd.study.evaluations import KEY_CHARACTERS
from sakd.study.store import CellStore, Entry, Record

RECORD = "record.json"
"""The file that is copied last: it implies all others."""


class Mirror:
    """A folder and its copy in a store."""

    def __init__(self, files: Any, place: str, folder: Path) -> None:  # noqa: ANN401 - fsspec's
        """Keep ``folder`` in the store ``files`` at ``place``."""
        self.files, self.place, self.folder = files, place, folder
        self._known: dict[str, tuple[int, int]] = {}

    def pull(self) -> None:
        """Have the folder hold what the store holds."""
        for name in _record_last(self._found()):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self.files.get_file(f"{self.place}/{name}", str(path))
        self._known = self._here()

    def push(self) -> None:
        """Have the store hold what the folder holds."""
        here = self._here()
        for name in self._known.keys() - here.keys():
            self.files.rm_file(f"{self.place}/{name}")
            del self._known[name]
        for name in _record_last(here):
            if self._known.get(name) != here[name]:
                self._put(name)
                self._known[name] = here[name]

    def _put(self, name: str) -> None:
        try:
            self.files.put_file(str(self.folder / name), f"{self.place}/{name}")
        except FileNotFoundError:
            if (self.folder / name).exists():
                raise

    def _found(self) -> list[str]:
        return [path.partition(f"{self.place}/")[2] for path in self.files.find(self.place)]

    def _here(self) -> dict[str, tuple[int, int]]:
        """List the whole files of the folder, with what tells that one has changed."""
        found = {}
        for path in self.folder.rglob("*"):
            name = path.relative_to(self.folder)
            if path.is_file() and not any(part.endswith(PARTIAL) for part in name.parts):
                stat = path.stat()
                found[name.as_posix()] = stat.st_size, stat.st_mtime_ns
        return found


class MirroredEntry(Entry):
    """The folder of one training, which is kept in a store.

    Attributes:
        lasts: Seconds after which a lease is over that is not renewed.
    """

    lasts: ClassVar[float] = LASTS

    def __init__(
        self,
        folder: Path,
        files: Any,  # noqa: ANN401 - fsspec's
        place: str,
        pulled: Callable[[], None],
    ) -> None:
        """Keep ``folder`` in ``files`` at ``place``; call ``pulled`` when it has come."""
        super().__init__(folder)
        self._store, self._place, self._pulled = files, place, pulled

    def record(self, remedy: str = AGAIN) -> Record | None:
        """Read the record, from the store where the training is not done here."""
        record = super().record(remedy)
        if record is not None and record.status == DONE:
            return record
        if self._store.exists(f"{self._place}/{RECORD}"):
            self.clear()
            Mirror(self._store, self._place, self.folder).pull()
            self._pulled()
        return super().record(remedy)

    @contextmanager
    def claimed(self, *, wait: bool = False) -> Iterator[None]:
        """Take the training on lease, fetch what there is of it, and keep what becomes of it."""
        lease = Lease(self._store, f"{self._place}.lease", f"training {self._place}", self.lasts)
        mirror = Mirror(self._store, self._place, self.folder)
        with super().claimed(wait=wait), held(lease, mirror.push, wait=wait):
            self.clear()
            mirror.pull()
            yield


class MirroredCells(CellStore):
    """Cells that are kept in a store, and come into a folder as they are asked for."""

    def __init__(self, root: Path, url: str) -> None:
        """Use the folder ``root`` of this machine, and the store at ``url``."""
        super().__init__(root)
        self._files, self._place = opened(url)

    def entry(self, group: str, cell: str, key: str) -> Entry:
        """Give the folder of a training."""
        name = key[:KEY_CHARACTERS]
        return MirroredEntry(
            self.root / group / cell / name,
            self._files,
            f"{self._place}/{group}/{cell}/{name}",
            lambda: self.evaluations.forget(cell, key),
        )


class MirroredCellsDataset(Handle):
    """A handle on cells in a store."""

    def __init__(self, *, url: str, filepath: str = "", metadata: Any = None) -> None:  # noqa: ANN401
        """Give a handle on the store at ``url``, in ``filepath`` or in a folder for a time."""
        place = filepath or f"sakd-{sha256(url.encode()).hexdigest()[:12]}"
        super().__init__(filepath=place, metadata=metadata)
        self.url = url

    def load(self) -> MirroredCells:
        """Give the handle."""
        return MirroredCells(Path(tempfile.gettempdir(), self.filepath), self.url)


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
        found = f"--runner-params store={url} cannot be opened ({one_line(error)})"
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
        found = f"--runner-params store={url} cannot be written ({one_line(error)})"
        raise UserError(f"{found}: make it, or see to your rights there") from error


def _record_last(names: Any) -> list[str]:  # noqa: ANN401
    return sorted(names, key=lambda name: name == RECORD)
