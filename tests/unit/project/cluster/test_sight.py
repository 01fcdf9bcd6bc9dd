"""Commands that only look see what is done and what runs in a store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from sakd.command import watch
from sakd.command.main import main
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE
from sakd.project.cluster import sight
from sakd.project.cluster.mirror import MirroredCells
from sakd.project.cluster.shelf import opened
from sakd.project.looking import RecordedCells
from sakd.study.beacon import live_path
from sakd.study.live import Live
from sakd.study.store import CellStore, Record
from sakd.study.trainings import TEACHERS

KEY = "0123456789abcdef"
LIVE = Live("cell-kd", "row", 3, 30, process=7, host="elsewhere")

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def store(url: str, tmp_path: Path) -> str:
    """A store in which one cell of the digits is done, and another one runs."""
    entry = MirroredCells(tmp_path / "there", f"{url}/digits").entry("row", "cell", KEY)
    with entry.claimed():
        entry.last.parent.mkdir(parents=True, exist_ok=True)
        entry.last.write_bytes(b"weights")
        entry.finish(Record("cell", KEY, DONE, facts={}), [])
    files, place = opened(url)
    path = live_path(Path(place, "digits"), LIVE.id, KEY)
    files.pipe_file(str(path), json.dumps(asdict(LIVE)).encode())
    return url


def test_records_and_what_runs_are_fetched_without_weights(store: str, tmp_path: Path) -> None:
    sight.fetch_records(store, "digits", tmp_path / "here", "teachers")
    cells = CellStore(tmp_path / "here")
    record = cells.entry("row", "cell", KEY).record()
    assert record is not None
    assert record.status == DONE
    names = {path.name for path in cells.root.rglob("*") if path.is_file()}
    assert names == {"record.json", live_path(cells.root, LIVE.id, KEY).name}


def test_all_files_of_a_group_may_be_fetched_too(store: str, tmp_path: Path) -> None:
    sight.fetch_records(store, "digits", tmp_path / "here", "row")
    assert CellStore(tmp_path / "here").entry("row", "cell", KEY).finished(KEY) is not None


def test_a_record_stands_for_a_cell_in_a_store_but_not_for_a_teacher(
    store: str, tmp_path: Path
) -> None:
    sight.fetch_records(store, "digits", tmp_path / "here", TEACHERS)
    cells = RecordedCells(tmp_path / "here")
    assert cells.entry("row", "cell", KEY).finished(KEY) is not None
    assert cells.entry("row", "cell", KEY).finished(KEY[::-1]) is None
    (cells.root / "row").rename(cells.root / TEACHERS)
    assert cells.entry(TEACHERS, "cell", KEY).finished(KEY) is None


def test_what_runs_in_all_datasets_of_a_store_can_be_watched(store: str, capsys: Capture) -> None:
    assert watch.running_in_store(store) == [LIVE]
    assert main(["watch", "--store", store]) == 0
    assert "cell-kd    3/30" in capsys.readouterr().out


def test_who_says_nothing_for_long_runs_no_longer(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight, "LASTS", -60.0)
    assert watch.running_in_store(store) == []


@pytest.mark.parametrize(
    "look",
    [sight.fetch_running, lambda url, to: sight.fetch_records(url, "digits", to, "teachers")],
)
def test_a_store_in_which_nothing_is_there_is_named(
    url: str, tmp_path: Path, look: Callable[[str, Path], None]
) -> None:
    with pytest.raises(UserError, match=f"nothing in the store {url}: .*--store"):
        look(url, tmp_path)


def test_a_store_that_cannot_be_reached_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_place: str) -> bool:
        raise ConnectionError("nobody\nlistens")

    files = SimpleNamespace(exists=refuse)
    monkeypatch.setattr(sight, "opened", lambda _url: (files, "bucket"))
    with pytest.raises(
        UserError, match=r"s3://bucket cannot be read \(nobody listens\): .*network"
    ):
        sight.fetch_running("s3://bucket", tmp_path)
