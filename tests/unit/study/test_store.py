"""The store of cells knows finished trainings by their content, not by their name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sakd.foundation.errors import UserError
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
    assert entry.checkpoint("k1") is None
    assert entry.history() == []
    entry.clear()


def test_a_record_comes_back_as_it_was(entry: Entry) -> None:
    written = entry.finish(RECORD, HISTORY)
    assert entry.record() == written
    size = (entry.folder / "history.csv").stat().st_size
    assert written == replace(RECORD, files={"history.csv": size}, ended=written.ended)
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


@pytest.mark.parametrize("name", ["last.safetensors", "epochs/0002.json", "history.csv"])
@pytest.mark.parametrize("left", [None, b"", b"c"])
def test_a_training_that_has_lost_a_file_is_not_finished(
    entry: Entry, caplog: pytest.LogCaptureFixture, name: str, left: bytes | None
) -> None:
    for path in (entry.last, entry.best, entry.epochs / "0002.safetensors"):
        save_weights(Weights({"weight": torch.zeros(2)}), path)
    assert entry.finish(RECORD, HISTORY) == entry.finished("k1")
    if left is None:
        (entry.folder / name).unlink()
    else:
        (entry.folder / name).write_bytes(left)
    assert entry.finished("k1") is None
    (line,) = caplog.messages
    assert line.startswith(f"{RECORD.id}: {name} ")


def test_a_folder_is_of_one_run_at_a_time(entry: Entry) -> None:
    refused = pytest.raises(UserError, match=r"row/cell/k1: wait")
    with entry.claimed(), refused, Entry(entry.folder).claimed():
        pass
    with Entry(entry.folder).claimed():
        assert not entry.folder.exists()


def test_a_checkpoint_is_for_the_training_of_the_same_content(entry: Entry) -> None:
    entry.save_checkpoint({"key": "k1", "seconds": 2.0, "weights": torch.arange(3)})
    assert entry.checkpoint("k2") is None
    state = entry.checkpoint("k1")
    assert state is not None
    assert state["seconds"] == 2.0
    assert torch.equal(state["weights"], torch.arange(3))


def test_a_checkpoint_goes_when_the_training_is_done_and_stays_when_it_failed(
    entry: Entry,
) -> None:
    entry.save_checkpoint({"key": "k1"})
    entry.finish(replace(RECORD, status=FAILED), [])
    assert entry.checkpoint("k1") is not None
    entry.finish(RECORD, HISTORY)
    assert entry.checkpoint("k1") is None


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry.save_checkpoint({"key": "k1", "epoch": 1})

    def full_disk(_state: object, where: Path) -> None:
        where.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="no space left"):
        entry.save_checkpoint({"key": "k1", "epoch": 2})
    assert entry.checkpoint("k1") == {"key": "k1", "epoch": 1}


def test_half_written_files_of_a_killed_run_are_gone_in_the_end(entry: Entry) -> None:
    (entry.folder / "epochs").mkdir(parents=True)
    for name in ("checkpoint.pt.17.partial", "epochs/0001.safetensors.17.partial"):
        (entry.folder / name).write_bytes(b"half")
    entry.finish(RECORD, HISTORY)
    assert {p.name for p in entry.folder.rglob("*") if p.is_file()} == {
        "record.json",
        "history.csv",
    }


def test_clear_forgets_everything(entry: Entry) -> None:
    entry.save_checkpoint({"key": "k1"})
    entry.finish(RECORD, HISTORY)
    entry.clear()
    assert not entry.folder.exists()
    assert entry.record() is None


@pytest.mark.parametrize(
    "content", [b"", b'{"id": "cel', b"\xff\xfe\x00", b"{}", b"3", b'{"old": 1}']
)
def test_a_damaged_record_is_refused_with_its_file_and_the_remedy(
    entry: Entry, content: bytes
) -> None:
    entry.finish(RECORD, HISTORY)
    (entry.folder / "record.json").write_bytes(content)
    with pytest.raises(UserError, match=r"record\.json .*delete"):
        entry.finished("k1")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no checkpoint at all"])
def test_a_damaged_checkpoint_is_refused_with_its_file_and_the_remedy(
    entry: Entry, content: bytes
) -> None:
    entry.save_checkpoint({"key": "k1"})
    (entry.folder / "checkpoint.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"checkpoint\.pt .*delete"):
        entry.checkpoint("k1")
