"""Processes of a parallel run end with it, without a word, and finish what must not be torn."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from sakd.foundation.signals import ENDING, orderly, postponed
from sakd.project import parallel
from sakd.project.parallel import ParallelRunner, Pool

pytestmark = pytest.mark.usefixtures("as_in_a_terminal")

LONGEST = 60


@pytest.fixture
def pool() -> Iterator[Pool]:
    """One process."""
    with Pool(1) as pool:
        yield pool
        for process in _processes(pool):
            process.kill()


def _processes(pool: Pool) -> list[BaseProcess]:
    return list((pool._processes or {}).values())


def _exit_code(process: BaseProcess, pool: Pool) -> int | None:
    """Wait for the end of a process; its exit code is known once the pool's thread has ended too.

    Both wait for it, and one alone is told.
    """
    process.join(LONGEST)
    pool.shutdown()
    return process.exitcode


def interrupted(number: int, folder: Path) -> None:
    """Get signals in the middle of work, and while the end of it is written."""
    try:
        with orderly(), postponed():
            os.kill(os.getpid(), number)
            (folder / "finished").touch()
        time.sleep(LONGEST)
    except KeyboardInterrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        (folder / "written").touch()
        raise


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_work_ends_in_order_and_its_process_with_it(
    number: signal.Signals, pool: Pool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    begun = pool.submit(interrupted, number, tmp_path)
    (process,) = _processes(pool)
    with pytest.raises(BrokenProcessPool):
        begun.result(LONGEST)
    assert _exit_code(process, pool) == 128 + number
    assert {path.name for path in tmp_path.iterdir()} == {"finished", "written"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_an_idle_process_ends_by_the_signal(
    number: signal.Signals, pool: Pool, capfd: pytest.CaptureFixture[str]
) -> None:
    assert pool.submit(len, "abc").result(LONGEST) == 3
    (process,) = _processes(pool)
    assert process.pid is not None
    os.kill(process.pid, number)
    assert _exit_code(process, pool) == -number
    assert capfd.readouterr() == ("", "")


def test_an_error_of_the_work_is_given_to_the_run(pool: Pool) -> None:
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result(LONGEST)
    assert pool.submit(len, "abc").result(LONGEST) == 3


def _orphaned(begin: Callable[[], None]) -> None:
    """Begin a process once its run is gone, which may be so from the first."""
    run = parent_process()
    assert run is not None
    run.join()
    begin()


@pytest.mark.parametrize("when", ["it has worked", "it has begun"])
def test_a_process_does_not_outlive_a_run_that_is_killed(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "SECONDS", 0.01)
    if when == "it has begun":
        late = partial(_orphaned, parallel._wait_for_work)
        monkeypatch.setattr(parallel, "_wait_for_work", late)
    reading, writing = os.pipe()  # open as long as one of the processes that have it
    run = os.fork()
    if run == 0:
        try:
            begun = Pool(1).submit(len, "abc")
            if when == "it has worked":
                begun.result(LONGEST)
        finally:  # nothing else of this test is for it to do
            os.kill(os.getpid(), signal.SIGKILL)
    os.close(writing)
    os.waitpid(run, 0)
    closed, _, _ = select.select([reading], [], [], LONGEST)
    os.close(reading)
    assert closed, "it is still there"


def test_what_processes_share_is_there_until_the_run_has_ended() -> None:
    runner = ParallelRunner(1)
    process = runner._manager._process  # type: ignore[attr-defined]
    try:
        for number in ENDING:
            os.kill(process.pid, number)
        shared = runner._manager.MemoryDataset()  # type: ignore[attr-defined]
        shared.save(3)
        assert shared.load() == 3
        runner._manager.shutdown()
        assert not process.is_alive()
    finally:
        process.kill()
