"""Cells in a store: fetched where they are asked for, kept as they grow."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from sakd.foundation.errors import UserError
from sakd.foundation.locks import ClaimedError
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.project.cluster import leases
from sakd.project.cluster.leases import LASTS, Lease
from sakd.project.cluster.mirror import MirroredCells, MirroredCellsDataset, MirroredEntry
from sakd.project.cluster.shelf import check_store, opened
from sakd.study.beacon import live_path
from sakd.study.evaluations import Evaluation
from sakd.study.live import Live
from sakd.study.store import Entry, Record

BRIEF, OVER = 0.1, 1.2
"""Seconds that a lease lasts, and after which it is over by a clock of whole seconds."""

CELL = ("row", "cell", "0123456789abcdef")
KEY = CELL[2]


def record(status: str) -> Record:
    return Record("cell", KEY, status, facts={})


def trained(entry: Entry, weights: bytes = b"weights") -> None:
    entry.last.parent.mkdir(parents=True, exist_ok=True)
    entry.last.write_bytes(weights)
    entry.finish(record(DONE), [{"epoch": 1.0}])


def test_what_one_machine_has_trained_another_finds_whole(url: str, tmp_path: Path) -> None:
    here, there = (MirroredCells(tmp_path / name, url).entry(*CELL) for name in ("a", "b"))
    assert there.finished(KEY) is None
    with here.claimed():
        trained(here)
    assert there.finished(KEY) == here.record()
    assert there.last.read_bytes() == b"weights"
    assert there.history() == [{"epoch": 1.0}]


def test_a_training_is_of_one_machine_at_a_time(url: str, tmp_path: Path) -> None:
    here, there = (MirroredCells(tmp_path / name, url).entry(*CELL) for name in ("a", "b"))
    with here.claimed(), pytest.raises(ClaimedError), there.claimed():
        pass
    with there.claimed():
        pass


def test_a_training_whose_machine_died_goes_on_from_the_checkpoint_that_was_kept(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWALS", 20 * LASTS)
    here, there = (MirroredCells(tmp_path / name, url).entry(*CELL) for name in ("a", "b"))
    claim = here.claimed()
    claim.__enter__()
    half = here.folder / "last.safetensors.host.1.partial"
    half.mkdir(parents=True)
    (half / "last.safetensors").touch()
    here.checkpoints.write({"key": KEY, "epochs": 3})
    files, place = opened(url)
    name = "row/cell/0123456789ab/checkpoint.pt"
    written = (tmp_path / "a" / name).read_bytes()
    until(lambda: content(files, f"{place}/{name}") == written)
    renew = Lease.renew
    with monkeypatch.context() as patch:
        # The first is heard of no more.
        patch.setattr(Lease, "renew", lambda one: 1 / 0 if "000001" in one._own else renew(one))
        time.sleep(OVER)
        patch.setattr(MirroredEntry, "lasts", BRIEF)
        with there.claimed(wait=True):
            state = there.checkpoints.read(KEY)
            assert state is not None
            assert state["epochs"] == 3
            assert not list(there.folder.glob("*.partial"))
            trained(there)
    with pytest.raises(ClaimedError):
        claim.__exit__(None, None, None)
    assert MirroredCells(tmp_path / "c", url).entry(*CELL).finished(KEY) is not None


def test_nothing_is_kept_before_all_is_fetched(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWALS", 20 * LASTS)
    here, there = (MirroredCells(tmp_path / name, url).entry(*CELL) for name in ("a", "b"))
    with here.claimed():
        here.checkpoints.write({"key": KEY, "epochs": 3})
    files, _ = opened(url)
    fetched = files.get_file

    def half(there: str, here: str) -> None:
        Path(here).touch()
        time.sleep(OVER)  # it would be kept several times
        fetched(there, here)

    monkeypatch.setattr(files, "get_file", half)  # fsspec has one such object for a store
    with there.claimed():
        state = there.checkpoints.read(KEY)
    monkeypatch.undo()
    assert state == {"key": KEY, "epochs": 3}
    later = MirroredCells(tmp_path / "c", url).entry(*CELL)
    with later.claimed():
        assert later.checkpoints.read(KEY) == state


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_store_says_how_far_a_training_is_until_it_ends(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWALS", 20 * LASTS)
    cells = MirroredCells(tmp_path / "a", url)
    files, place = opened(url)
    sign = f"{place}/running/cell-{KEY[:12]}.json"
    with cells.entry(*CELL).claimed():
        own = live_path(cells.root, "cell", KEY)
        for epoch in (1, 2):
            (live := Live("cell", "row", epoch, 30)).write(own)
            whole = own.read_bytes()
            until(lambda whole=whole: content(files, sign) == whole)
            assert json.loads(whole) == asdict(live)
        own.unlink()
    assert content(files, sign) is None


def content(files: Any, path: str) -> bytes | None:
    """Read a file of a store; a folder also shows one that is half copied."""
    try:
        found: bytes = files.cat_file(path)
    except FileNotFoundError:
        return None
    return found


def test_files_that_go_here_go_from_the_store(url: str, tmp_path: Path) -> None:
    here = MirroredCells(tmp_path / "a", url).entry(*CELL)
    with here.claimed():
        here.checkpoints.write({"key": KEY})
    with here.claimed():
        assert here.checkpoints.read(KEY) is not None
        trained(here)
    there = MirroredCells(tmp_path / "b", url).entry(*CELL)
    assert there.finished(KEY) is not None
    assert there.checkpoints.read(KEY) is None


def test_a_training_that_failed_here_is_found_done_elsewhere(url: str, tmp_path: Path) -> None:
    cells = MirroredCells(tmp_path / "a", url)
    here, there = cells.entry(*CELL), MirroredCells(tmp_path / "b", url).entry(*CELL)
    with here.claimed():
        here.finish(record(FAILED), [])
    cells.evaluations.save("cell", KEY, Evaluation({"top1": 0.5}))
    with there.claimed():
        trained(there)
    assert here.finished(KEY) is not None
    assert cells.evaluations.find("cell", KEY) is None  # it was of other weights


def test_a_handle_reaches_another_machine(url: str) -> None:
    there = pickle.loads(pickle.dumps(MirroredCellsDataset(url=url)))
    assert there.load().entry(*CELL).record() is None


@pytest.mark.parametrize(
    ("url", "complaint"),
    [("nowhere://there", "nowhere://there .*s3://BUCKET"), ("file:///proc/none", "cannot be writ")],
    indirect=False,
)
def test_a_store_that_cannot_be_used_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        check_store(url)
