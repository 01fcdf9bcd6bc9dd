from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sakd.foundation.processes import process_runs


def test_a_process_runs_until_it_has_ended() -> None:
    assert process_runs(os.getpid())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not process_runs(ended.pid)


@pytest.mark.parametrize(
    ("error", "runs"),
    [(PermissionError, True), (ProcessLookupError, False), (OverflowError, False)],
)
def test_a_process_of_somebody_else_runs_too(
    error: type[Exception], runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(process: int, signal: int) -> None:
        assert (process, signal) == (7, 0)  # another signal would end it
        raise error

    monkeypatch.setattr(os, "kill", refused)
    assert process_runs(7) is runs
