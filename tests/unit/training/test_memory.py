"""Memory is kept from step to step, and given back after a training."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest
import torch

from sakd.training.memory import LARGEST, MB, NEVER, memory_kept

SIZE = 256 * MB
HALF = SIZE // 2

needs_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not Path("/proc/self/statm").exists(),
    reason="memory is kept by glibc, and /proc tells how much",
)


def resident() -> int:
    """The bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def use(size: int) -> None:
    """Write to a piece of memory of ``size`` bytes, and free it."""
    torch.ones(size, dtype=torch.uint8)


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)


@needs_glibc
def test_what_is_freed_stays_until_the_end() -> None:
    before = resident()
    with memory_kept():
        use(SIZE)
        assert resident() - before > HALF
        use(SIZE)
    assert resident() - before < HALF
    use(SIZE)
    assert resident() - before < HALF


@needs_glibc
def test_an_error_ends_it_too() -> None:
    @memory_kept()
    def fail() -> None:
        use(SIZE)
        raise ValueError("now")

    before = resident()
    with pytest.raises(ValueError, match="now"):
        fail()
    assert resident() - before < HALF


@needs_glibc
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MALLOC_TRIM_THRESHOLD_", "1000000"),
        ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=1000000"),
    ],
)
def test_limits_of_the_user_count(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    before = resident()
    with memory_kept():
        use(SIZE)
        assert resident() - before < HALF


def test_without_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    with memory_kept():
        use(1)


@needs_glibc
def test_old_versions_keep_smaller_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []

    def refusing(*given: int) -> int:
        asked.append(given)
        return int(given != (-3, LARGEST))

    monkeypatch.setattr("sakd.training.memory._glibc", lambda _name: refusing)
    with memory_kept():
        assert asked == [(-3, LARGEST), (-3, 32 * MB), (-1, NEVER)]
    assert asked[3:] == [(-3, 32 * MB), (-1, 64 * MB), (0,)]
