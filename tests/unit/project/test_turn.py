"""One run at a time evaluates and reports a dataset."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.text import TextDataset

from sakd.foundation.locks import ClaimedError, held
from sakd.project.context import Context
from sakd.project.datasets import SealedTableDataset
from sakd.project.session import Session
from sakd.project.turn import Turn

TABLES = ("digits-history", "digits-routing")


def letters(_value: object) -> tuple[str, str]:
    return "new", "new"


def fail(_value: object) -> tuple[str, str]:
    raise ValueError("a bug")


def measuring(work: Callable[[object], tuple[str, str]] = letters) -> Pipeline:
    return Pipeline([Node(work, "params:threads", list(TABLES), name="measure", tags=["evaluate"])])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of reports; tables of an earlier run are there."""
    for name in TABLES:
        (tmp_path / name).write_text("old")
    return tmp_path / "08_reporting"


@pytest.fixture
def lock(folder: Path) -> Path:
    return folder / "digits.lock"


@pytest.fixture
def catalog(folder: Path, load_context: Callable[..., Context]) -> DataCatalog:
    load_context()
    paths = {name: folder.parent / name for name in TABLES}
    paths["digits-report_html"] = folder / "digits" / "report.html"
    found = DataCatalog({name: TextDataset(filepath=str(path)) for name, path in paths.items()})
    found["params:threads"] = 1
    return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, root: Path, catalog: DataCatalog) -> Iterator[Any]:
    """Run a pipeline in a session of the project, with the catalog above."""

    def go(pipeline: Pipeline, runner: Any = None) -> None:
        monkeypatch.setattr("sakd.pipeline_registry.register_pipelines", lambda: {"one": pipeline})
        monkeypatch.setattr(Context, "_get_catalog", lambda *_args, **_others: catalog)
        pipelines.configure("sakd.pipeline_registry")
        with Session.create(root, save_on_close=False, env="base") as session:
            session.run(pipeline_names=["one"], runner=runner or SequentialRunner())

    yield go
    monkeypatch.undo()
    pipelines.configure("sakd.pipeline_registry")


def tables(folder: Path) -> list[str | None]:
    """The content of the tables; None where there is none."""
    paths = [folder.parent / name for name in TABLES]
    return [path.read_text() if path.exists() else None for path in paths]


@contextmanager
def heard(caplog: pytest.LogCaptureFixture, words: str) -> Iterator[None]:
    """Go on once the log says ``words``."""
    with caplog.at_level(logging.INFO, "sakd.project.turn"):
        end = time.monotonic() + 60
        while words not in caplog.text and time.monotonic() < end:
            time.sleep(0.01)
        assert words in caplog.text
        yield


def test_a_run_waits_for_another_that_is_at_the_tables(
    catalog: DataCatalog, lock: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (node,) = measuring().nodes
    with ThreadPoolExecutor(1) as elsewhere, Turn() as turn:
        with held(lock, "busy"):
            waiting = elsewhere.submit(turn.before_node_run, node, catalog)
            with heard(caplog, "waiting for another run, which is at the tables of digits"):
                assert not waiting.done()
        waiting.result(timeout=60)


def test_a_node_that_trains_waits_for_nobody(catalog: DataCatalog, lock: Path) -> None:
    node = Node(letters, "a", ["b", "c"], tags=["students"])
    with ThreadPoolExecutor(1) as elsewhere, Turn() as turn, held(lock, "busy"):
        elsewhere.submit(turn.before_node_run, node, catalog).result(timeout=60)


@pytest.mark.parametrize("kind", [TextDataset, SealedTableDataset])
def test_where_nodes_run_in_other_processes_the_turn_is_that_of_the_whole_run(
    catalog: DataCatalog, folder: Path, lock: Path, kind: Any
) -> None:
    for name in TABLES:
        catalog[name] = kind(filepath=str(folder.parent / name))
    with Turn(early=True) as turn:
        turn.before_pipeline_run(measuring(), catalog)
        assert tables(folder) == [None, None]
        with pytest.raises(ClaimedError), held(lock, "busy"):
            pass
    with held(lock, "busy"):
        pass


def test_a_session_gives_the_turn_back_also_after_an_error(
    run: Any, folder: Path, lock: Path
) -> None:
    with pytest.raises(ValueError, match="a bug"):
        run(measuring(fail))
    assert tables(folder) == ["old", "old"]
    with held(lock, "busy"):
        pass
    run(measuring())
    assert tables(folder) == ["new", "new"]
    with held(lock, "busy"):
        pass


def test_a_run_that_is_cut_off_among_its_tables_leaves_none_of_an_earlier_one(
    run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(_self: TextDataset, _text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TextDataset, "save", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run(measuring())
    assert tables(folder) == [None, None]
