"""Cells whose files are kept in a store that is no folder, such as S3."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from sakd.foundation.files import PARTIAL
from sakd.foundation.folders import files_below
from sakd.foundation.sealing import AGAIN
from sakd.foundation.vocabulary import DONE
from sakd.project.cluster.leases import LASTS, Lease, held
from sakd.project.cluster.shelf import RECORD, opened
from sakd.project.datasets import Handle
from sakd.study.beacon import live_path
from sakd.study.evaluations import KEY_CHARACTERS
from sakd.study.live import RUNNING
from sakd.study.store import CellStore, Entry, Record


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
        for path, state in files_below(self.folder):
            name = path.relative_to(self.folder)
            if not any(part.endswith(PARTIAL) for part in name.parts):
                found[name.as_posix()] = state.st_size, state.st_mtime_ns
        return found


class MirroredEntry(Entry):
    """The folder of one training, which is kept in a store.

    Attributes:
        lasts: Seconds after which a lease is over that is not renewed.
    """

    lasts: ClassVar[float] = LASTS

    def __init__(self, cells: MirroredCells, group: str, cell: str, key: str) -> None:
        """Keep a training of ``cells`` where their store has it."""
        name = key[:KEY_CHARACTERS]
        super().__init__(cells.root / group / cell / name)
        self._store, self._place = cells.files, f"{cells.place}/{group}/{cell}/{name}"
        self._live = live_path(cells.root, cell, key)
        self._sign = f"{cells.place}/{RUNNING}/{self._live.name}"
        self._forget = partial(cells.evaluations.forget, cell, key)

    def record(self, remedy: str = AGAIN) -> Record | None:
        """Read the record, from the store where the training is not done here."""
        record = super().record(remedy)
        if record is not None and record.status == DONE:
            return record
        if self._store.exists(f"{self._place}/{RECORD}"):
            self.clear()
            Mirror(self._store, self._place, self.folder).pull()
            self._forget()
        return super().record(remedy)

    @contextmanager
    def claimed(self, *, wait: bool = False) -> Iterator[None]:
        """Take the training on lease, fetch what there is of it, and keep what becomes of it."""
        lease = Lease(self._store, f"{self._place}.lease", f"training {self._place}", self.lasts)
        mirror = Mirror(self._store, self._place, self.folder)

        def fetch() -> None:
            self.clear()
            mirror.pull()

        with (
            super().claimed(wait=wait),
            held(lease, mirror.push, self._show, fetch=fetch, wait=wait),
        ):
            yield

    def _show(self) -> None:
        """Have the store hold how far the training is, as long as it runs."""
        try:
            self._store.put_file(str(self._live), self._sign)
        except FileNotFoundError:
            with suppress(FileNotFoundError):
                self._store.rm_file(self._sign)


class MirroredCells(CellStore):
    """Cells that are kept in a store, and come into a folder as they are asked for.

    Attributes:
        files: The file system of the store, as of fsspec.
        place: Where they are in it.
    """

    def __init__(self, root: Path, url: str) -> None:
        """Use the folder ``root`` of this machine, and the store at ``url``."""
        super().__init__(root)
        self.files, self.place = opened(url)

    def entry(self, group: str, cell: str, key: str) -> Entry:
        """Give the folder of a training."""
        return MirroredEntry(self, group, cell, key)


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


def _record_last(names: Any) -> list[str]:  # noqa: ANN401
    return sorted(names, key=lambda name: name == RECORD)
