"""Work in copies of this process, which end in time and leave nothing."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SURVIVED, FAILED, NOT_APPLIED = 0, 1, 3
OUTCOMES = {SURVIVED: "survived", FAILED: "killed", NOT_APPLIED: "not applied"}
"""What the exit statuses of a fork say."""

MEMORY = 8 << 30
"""Bytes of address space that a mutant may take beyond what is taken."""


def in_fork(work: Callable[[], object], limit: float) -> str:
    """Do ``work`` in a copy of this process that ends at ``limit`` seconds of processor time."""
    sys.stdout.flush()
    folder = tempfile.mkdtemp(prefix="mutant-")
    child = os.fork()
    if not child:
        _in_child(work, limit, folder)
    outcome = _waited(child, limit)
    shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _in_child(work: Callable[[], object], limit: float, folder: str) -> None:
    status = FAILED
    try:
        os.setsid()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        seconds = int(limit) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
        work()
        status = SURVIVED
    finally:
        os._exit(status)


def _waited(child: int, limit: float) -> str:
    """Wait for a process; none that it has started outlives it."""
    until = time.monotonic() + 4 * limit + 60
    status, done = 0, 0
    while not done and time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0 if done else 0.005)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if not done:
        os.waitpid(child, 0)
        return "timed out"
    if os.WIFSIGNALED(status):
        return "timed out" if os.WTERMSIG(status) == signal.SIGXCPU else "crashed"
    return OUTCOMES[os.WEXITSTATUS(status)]
