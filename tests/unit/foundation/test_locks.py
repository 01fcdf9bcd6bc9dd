"""A lock is held by one run at a time; what goes wrong with it is one line that names it."""

from __future__ import annotations

import errno
import fcntl
import logging
from pathlib import Path

import pytest
from filelock import FileLock

from sakd.foundation import locks
from sakd.foundation.locks import ClaimedError, held


def test_another_is_refused_until_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "row" / "cell.lock"
    with held(path, "training cell"):
        refused = pytest.raises(ClaimedError, match="another run is training cell: wait")
        with refused, held(path, "training cell"):
            pass
    with held(path, "training cell"):
        pass


def test_one_that_waits_says_so_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "SAY_SECONDS", 0.05)
    caplog.set_level(logging.INFO, logger="sakd")
    path = tmp_path / "cell.lock"
    other = FileLock(path)
    other.acquire()

    class Release(logging.Filter):
        def filter(self, _record: logging.LogRecord) -> bool:
            other.release()
            return True

    with caplog.filtering(Release()), held(path, "training cell", wait=True):
        assert not other.is_locked
    assert f"waiting for another run, which is training cell (lock: {path})" in caplog.messages


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named_and_no_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(code, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    refused = pytest.raises(OSError, match=r"cannot lock \(No locks available\): .*cell\.lock'")
    with refused as caught, held(tmp_path / "cell.lock", "training cell"):
        pass
    assert caught.value.errno == code
    assert not list(tmp_path.iterdir())
