"""The store of cells knows finished trainings by their content, not by their name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sakd.foundation.errors import DamagedError, UserError
from sakd.foundation.files import write_json
from sakd.foundation.sealing import read_sealed, write_sealed
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.study.store import CellStore, Entry, Record
from sakd.weights.saved import Weights, save_weights

RECORD = Record(
    id="digits-a-b-kd-always-s0",
    key="k1",
    status=DONE,
    facts={"seed": 0, "training": {"milestones": [0.5, 0.75]}},
    epochs=2,
    val_metric=0.1 + 0.2,
    best_epoch=1,
    seconds=1.5,
    provenance={"git_revision": "abc"},
)
HISTORY = [
    {"epoch": 1, "cross_entropy": 1 / 3, "val_top1": 0.5},
    {"epoch": 2, "cross_entropy": 1e-17, "val_top1": 0.25},
]


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    return CellStore(tmp_path).entry("row", "cell", "k1")


def test_an_entry_is_a_folder_in_its_row_made_when_needed(tmp_path: Path) -> None:
    entry = CellStore(tmp_path).entry("row", "cell", "k1")
    assert entry.folder == tmp_path / "row" / "cell" / "k1"
    assert not entry.folder.exists()


def test_nothing_is_known_of_a_training_that_never_ran(entry: Entry) -> None:
    assert entry.record() is None
    assert entry.finished("k1") is None
    assert entry.checkpoints.read("k1") is None
    assert entry.history() == []
    entry.clear()


def test_a_record_comes_back_as_it_was(entry: Entry) -> None:
    written = entry.finish(RECORD, HISTORY)
    assert entry.record() == written
    history = (entry.folder / "history.csv").read_bytes()
    kept = {"files": {"history.csv": len(history)}, "ended": written.ended}
    assert written == replace(RECORD, **kept, sha256={"history.csv": sha256(history).hexdigest()})
    assert datetime.now(UTC) - datetime.fromisoformat(written.ended) < timedelta(minutes=5)


def test_a_failure_comes_back_with_its_error(entry: Entry) -> None:
    failure = Record("cell", "k1", FAILED, {}, error="RuntimeError: it burns\n\tbadly")
    written = entry.finish(failure, [])
    assert entry.record() == written == replace(failure, ended=written.ended)
    assert entry.history() == []


@given(st.floats(allow_nan=False), st.floats(allow_nan=False, allow_infinity=False))
def test_a_history_comes_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, loss: float, top1: float
) -> None:
    entry = Entry(tmp_path_factory.mktemp("entry"))
    history = [{"epoch": 1.0, "gate_rate/stage1": loss, "val_top1": top1}]
    entry.finish(RECORD, history)
    assert entry.history() == history


def test_only_a_done_training_of_the_same_content_is_finished(entry: Entry) -> None:
    written = entry.finish(RECORD, HISTORY)
    assert entry.finished("k1") == written
    assert entry.finished("k2") is None
    entry.finish(replace(RECORD, status=FAILED), [])
    assert entry.finished("k1") is None


def test_a_history_whose_terms_change_comes_back_as_it_was(entry: Entry) -> None:
    history = [{"epoch": 1.0, "at": 0.5}, {"epoch": 2.0, "cross_entropy": 1.5}]
    entry.finish(RECORD, history)
    assert entry.history() == history


def full(entry: Entry) -> Record:
    """Write all files of a finished training."""
    for path in (entry.last, entry.best, entry.epochs / "0002.safetensors"):
        save_weights(Weights({"weight": torch.zeros(2)}), path)
    entry.save_routing(pd.DataFrame({"image": [0, 1]}))
    return entry.finish(RECORD, HISTORY)


FILES = ["last.safetensors", "best.json", "epochs/0002.json", "history.csv", "routing.parquet"]
LEFT: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _content: b"",
    "half": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "a flipped bit": lambda content: content[:-2] + bytes([content[-2] ^ 4]) + content[-1:],
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [None, *LEFT])
def test_a_training_that_has_lost_a_file_is_not_finished(
    entry: Entry, caplog: pytest.LogCaptureFixture, name: str, left: str | None
) -> None:
    record, path = full(entry), entry.folder / name
    assert record == entry.finished("k1")
    if left is None:
        path.unlink()
    else:
        path.write_bytes(LEFT[left](path.read_bytes()))
        os.utime(path, ns=(0, 1))
    assert entry.finished("k1") is None
    (line,) = caplog.messages
    assert line.startswith(f"{RECORD.id}: {name} is ")
    assert line.endswith("trained again")


def test_a_training_of_a_version_without_hashes_is_finished(entry: Entry) -> None:
    content = asdict(full(entry))
    del content["sha256"]
    write_json(entry.outcome, content)
    assert entry.finished("k1") == replace(full(entry), **content, sha256={})


def test_a_folder_is_of_one_run_at_a_time(entry: Entry) -> None:
    refused = pytest.raises(UserError, match=r"row/cell/k1: wait")
    with entry.claimed(), refused, Entry(entry.folder).claimed():
        pass
    with Entry(entry.folder).claimed():
        assert not entry.folder.exists()


def test_a_checkpoint_is_for_the_training_of_the_same_content(entry: Entry) -> None:
    entry.checkpoints.write({"key": "k1", "seconds": 2.0, "weights": torch.arange(3)})
    assert entry.checkpoints.read("k2") is None
    state = entry.checkpoints.read("k1")
    assert state is not None
    assert state["seconds"] == 2.0
    assert torch.equal(state["weights"], torch.arange(3))


def test_a_checkpoint_goes_when_the_training_is_done_and_stays_when_it_failed(
    entry: Entry,
) -> None:
    entry.checkpoints.write({"key": "k1"})
    entry.finish(replace(RECORD, status=FAILED), [])
    assert entry.checkpoints.read("k1") is not None
    entry.finish(RECORD, HISTORY)
    assert entry.checkpoints.read("k1") is None


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry.checkpoints.write({"key": "k1", "epoch": 1})

    def full_disk(_state: object, where: Path) -> None:
        where.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="no space left"):
        entry.checkpoints.write({"key": "k1", "epoch": 2})
    assert entry.checkpoints.read("k1") == {"key": "k1", "epoch": 1}


def test_half_written_files_of_a_killed_run_are_gone_with_the_next(entry: Entry) -> None:
    (entry.folder / "epochs" / "0001.safetensors.host.17.partial").mkdir(parents=True)
    (entry.folder / "checkpoint.pt.17.partial").write_bytes(b"half")
    with entry.claimed():
        entry.finish(RECORD, HISTORY)
    found = {path.name for path in entry.folder.rglob("*")}
    assert found == {"epochs", "record.json", "history.csv"}


def test_clear_forgets_everything(entry: Entry) -> None:
    entry.checkpoints.write({"key": "k1"})
    entry.finish(RECORD, HISTORY)
    entry.clear()
    assert not entry.folder.exists()
    assert entry.record() is None


@pytest.mark.parametrize("left", LEFT)
def test_a_training_with_a_damaged_record_is_not_finished(
    entry: Entry, caplog: pytest.LogCaptureFixture, left: str
) -> None:
    full(entry)
    entry.outcome.write_bytes(LEFT[left](entry.outcome.read_bytes()))
    assert entry.finished("k1") is None
    (line,) = caplog.messages
    assert line.startswith(f"{entry.outcome} is damaged (")
    assert line.endswith("): trained again")
    with pytest.raises(DamagedError, match=r"record\.json .*delete it"):
        entry.record()


WRONG = {
    "files": 3, "sha256": {"a": None}, "facts": [], "provenance": {"torch": 2}, "seconds": "long",
    "epochs": 1.5, "best_epoch": [], "status": None, "ended": 2026, "id": 1, "error": {},
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_record_with_an_entry_of_another_type_is_refused(entry: Entry, name: str) -> None:
    entry.finish(RECORD, HISTORY)
    write_sealed(entry.outcome, {**read_sealed(entry.outcome), name: WRONG[name]})
    with pytest.raises(UserError, match=rf"record\.json .*{name} takes .*or delete it"):
        entry.finished("k1")


@pytest.mark.parametrize(
    "content",
    [b"epoch,loss\n1,x\n", b"epoch\n1,2\n", b"epoch,loss\n1,\xff\n", b'epoch,loss\n1,"2\n'],
    ids=["word", "more", "not-utf-8", "open-quote"],
)
def test_a_damaged_history_is_refused(entry: Entry, content: bytes) -> None:
    entry.finish(RECORD, HISTORY)
    (entry.folder / "history.csv").write_bytes(content)
    with pytest.raises(DamagedError, match=r"history\.csv is damaged .*run again"):
        entry.history()


@pytest.mark.parametrize("told", [b"{}", b'{"columns": 3, "index_columns": [null]}', b"\xff"])
def test_damaged_decisions_are_refused(entry: Entry, told: bytes) -> None:
    table = pa.table({"image": [0, 1]}).replace_schema_metadata({"pandas": told})
    entry.folder.mkdir(parents=True)
    pq.write_table(table, entry.folder / "routing.parquet")
    with pytest.raises(DamagedError, match=r"routing\.parquet is damaged .*run again"):
        entry.routing()


@pytest.mark.parametrize("state", [{"key": 1}, {"key": torch.ones(2)}, {"seconds": 1.5}, ["key"]])
def test_a_checkpoint_without_a_key_is_passed_over(entry: Entry, state: object) -> None:
    entry.folder.mkdir(parents=True)
    torch.save(state, entry.folder / "checkpoint.pt")
    assert entry.checkpoints.read("k1") is None


class Trap:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_a_checkpoint_that_names_code_is_passed_over_and_nothing_is_called(
    entry: Entry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry.checkpoints.write({"key": "k1", "state": Trap(tmp_path / "sprung")})
    assert entry.checkpoints.read("k1") is None
    assert "it holds no state of a training" in caplog.text
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"{}", b'{"new": 1}'])
def test_a_record_of_another_version_is_refused_and_stays(entry: Entry, content: bytes) -> None:
    entry.finish(RECORD, HISTORY)
    entry.outcome.write_bytes(content)
    with pytest.raises(UserError, match=r"record\.json is of another version.*or delete it"):
        entry.finished("k1")


NO_CHECKPOINTS = {"nothing": b"", "half": b"PK\x03\x04 cut off", "text": b"no checkpoint at all"}


@pytest.mark.parametrize("content", NO_CHECKPOINTS.values(), ids=NO_CHECKPOINTS)
@pytest.mark.parametrize("count", [1, 2])
def test_the_checkpoint_before_a_damaged_one_is_taken(
    entry: Entry, caplog: pytest.LogCaptureFixture, content: bytes, count: int
) -> None:
    for epoch in range(count):
        entry.checkpoints.write({"key": "k1", "epoch": epoch})
    (entry.folder / "checkpoint.pt").write_bytes(content)
    expected = {"key": "k1", "epoch": 0} if count > 1 else None
    assert entry.checkpoints.read("k1") == expected
    (line,) = caplog.messages
    assert "checkpoint.pt is damaged (" in line
    assert entry.checkpoints.read("k1", discard=True) == expected
    entry.checkpoints.write({"key": "k1", "epoch": 9})
    assert entry.checkpoints.read("k1") == {"key": "k1", "epoch": 9}
    (entry.folder / "checkpoint.pt").unlink()
    assert entry.checkpoints.read("k1") == expected


def test_every_damage_to_a_checkpoint_is_found(entry: Entry) -> None:
    state = {"key": "k1", "seconds": 0.5, "weights": torch.arange(7.0) / 3}
    entry.checkpoints.write(state)
    path = entry.folder / "checkpoint.pt"
    content, found = path.read_bytes(), 0
    for place in range(0, len(content), 11):
        flipped = bytes([content[place] ^ (1 << place % 8)])
        for damage in (content[:place] + flipped + content[place + 1 :], content[:place]):
            path.write_bytes(damage)
            left = entry.checkpoints.read("k1")
            found += left is None
            assert left is None or str(left) == str(state)  # in a date or in padding
    assert found > len(content) / 11


def test_a_checkpoint_is_never_missing_while_one_is_written(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry.checkpoints.write({"key": "k1", "epoch": 1})
    replace_file = Path.replace

    def checked(here: Path, there: Path) -> Path:
        made = replace_file(here, there)
        assert entry.checkpoints.read("k1") is not None
        return made

    monkeypatch.setattr(Path, "replace", checked)
    entry.checkpoints.write({"key": "k1", "epoch": 2})
    assert entry.checkpoints.read("k1") == {"key": "k1", "epoch": 2}
