"""From what the user calls a model to its file of weights."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Literal, NamedTuple

from sakd.foundation.errors import UserError, require
from sakd.foundation.names import listed, unknown
from sakd.foundation.vocabulary import DONE
from sakd.study.store import CellStore, Entry, Record

STORE = Path("data/06_models")
"""Where the cells of a project are kept: ``DATASET/cells/ROW/ID/KEY``."""

MODEL = "model.safetensors"
"""The file of weights in an exported folder."""

EVALUATIONS = "evaluations"
"""The folder of a store that holds no trainings."""

LEFT = ("record.json", "checkpoint.pt", "history.csv")
"""A training has at least one of these files."""

SHOWN = 8
"""Models that a message lists."""

Epoch = Literal["last", "best"]
"""The last epoch, or the one that was best on validation."""


class Found(NamedTuple):
    """The weights of a model, and where they come from.

    Attributes:
        path: The file of the weights; its card lies next to it.
        remedy: How to get the file again.
        record: The record of the training; None for a file or an exported folder.
        cells: The store of that training, likewise.
    """

    path: Path
    remedy: str
    record: Record | None = None
    cells: CellStore | None = None


def find(model: str | Path, store: Path = STORE, epoch: Epoch = "last") -> Found:
    """Find the weights of a model.

    Args:
        model: An exported folder, the id of a cell or of a teacher, its folder in the store, or a
            ``.safetensors`` file with a card next to it.
        store: Where to look for ids.
        epoch: Of a training, the epoch whose weights are used.

    Raises:
        UserError: There is no such model, its training is not finished, failed, or was made
            several times; or it is an exported folder, and the best epoch is asked for.
    """
    path = Path(model)
    if path.suffix == ".safetensors" or (path / MODEL).exists():
        require(epoch == "last", f"{model} has one epoch only: leave {epoch!r} out")
        file = path if path.suffix == ".safetensors" else path / MODEL
        return Found(file, "export it again" if file.name == MODEL else "train again")
    return _trained(_one_training(model, store), epoch)


def _one_training(model: str | Path, store: Path) -> Path:
    path = Path(model)
    if path.is_dir() and path in _trainings([path.parent]):
        return path
    folders = _trainings([path] if path.is_dir() else _cells(store, glob.escape(str(model))))
    if not folders:
        raise UserError(_missing(str(model), store))
    done = [each for each in folders if (record := Entry(each).record()) and record.status == DONE]
    where = listed(done, between=" or ")
    require(len(done) <= 1, f"{model} was trained {len(done)} times: name the folder, {where}")
    return (done or folders)[-1]


def _trainings(places: list[Path]) -> list[Path]:
    """The folders of trainings in the folders of cells."""
    every = (folder for place in places for folder in sorted(place.iterdir()))
    return [each for each in every if any((each / file).exists() for file in LEFT)]


def _cells(store: Path, pattern: str = "*") -> list[Path]:
    """The folders of cells and teachers that are called so, each with a folder per training."""
    found = sorted(store.glob(f"*/cells/*/{pattern}"))
    return [each for each in found if each.is_dir() and each.parent.name != EVALUATIONS]


def _missing(model: str, store: Path) -> str:
    known = list(dict.fromkeys(folder.name for folder in _cells(store)))
    forms = "an exported folder, the id of a cell, its folder, or a .safetensors file"
    if not known:
        return f"no model {model!r}, and no cells in {store}: name {forms}, or another store"
    if model in known:
        return f"the training {model} is not finished: run the study again first"
    if Path(model).is_dir():
        return f"the folder {model} has neither a {MODEL} nor a training: name {forms}"
    text = unknown("model", model, known, most=SHOWN)
    return f"{text} Or name {forms}" if text.endswith("?") else f"{text}; or name {forms}"


def _trained(folder: Path, epoch: Epoch) -> Found:
    entry = Entry(folder)
    record = entry.record()
    if record is None:
        raise UserError(f"the training in {folder} is not finished: run the study again first")
    require(
        record.status == DONE,
        f"{record.id} {record.status} ({record.error}): mend that, and run the study again first",
    )
    for fault in entry.faults(record):
        raise UserError(f"{record.id}: {fault} in {folder}: run the study again")
    path = {"last": entry.last, "best": entry.best}[epoch]
    return Found(path, "run the study again", record, CellStore(folder.parents[2]))
