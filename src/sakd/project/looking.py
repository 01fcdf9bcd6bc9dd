"""The cells of a study, in its folder or in a store, for commands that only look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from sakd.foundation.errors import require
from sakd.project.cluster.sight import fetch_records
from sakd.project.parameters import active_parameters
from sakd.project.plan import Catalog
from sakd.study.splits import splits_of
from sakd.study.store import CellStore, Entry, Record
from sakd.study.trainings import TEACHERS


class RecordedEntry(Entry):
    """A training of which only the record is here."""

    def faults(self, record: Record) -> Iterator[str]:
        """Find nothing: the files that the record names are in the store."""
        return iter(())


class RecordedCells(CellStore):
    """The teachers of a store, and the records of its other cells."""

    def entry(self, group: str, cell: str, key: str) -> Entry:
        """Give the folder of a training."""
        entry = super().entry(group, cell, key)
        return entry if group == TEACHERS else RecordedEntry(entry.folder)


@contextmanager
def cells_of(catalog: Catalog, store: str | None) -> Iterator[CellStore]:
    """Give the cells of the environment, or the records of those in a ``store``.

    Raises:
        UserError: The store cannot be read, or the keys of the cells cannot be known.
    """
    data = active_parameters().data.slug
    if store is None:
        yield catalog.load(f"{data}-cells")
        return
    for split in splits_of(active_parameters()):
        prepared = catalog.exists(f"{split.data}-card")
        unknown = f"{split.data} is not prepared here, so it is not known which cells are meant"
        require(prepared, f"{unknown}: run --pipelines data_preparation first")
    with TemporaryDirectory(prefix="sakd-") as folder:
        fetch_records(store, data, Path(folder), whole=TEACHERS)
        yield RecordedCells(Path(folder))


def store_option() -> click.Option:
    """Make the option that names a store."""
    words = "Where cells are kept, if in no common folder."
    return click.Option(["--store"], metavar="URL", help=words)
