"""Inputs in processes of their own, with limits of memory; a new one after each that ends."""

from __future__ import annotations

import logging
import resource
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz_json import TRAP
from fuzz_trial import UNDECLARED, Desk, Outcome, Reader

MEMORY = 2**30
"""The most memory, in bytes, that inputs may take beyond that of the process before them."""

SPACE = 2 * MEMORY
"""The most addresses, likewise, of which not all need be memory."""

STILL = 120.0
"""Seconds after which a process is ended from which no outcome comes."""


def outcomes(reader: Reader, first: int, total: int) -> Iterator[Outcome]:
    """Try ``total`` inputs from the ``first`` on.

    Yields:
        An outcome for each; one that ends its process, or has it stand still, is undeclared.
    """
    number, end = first, first + total
    context = get_context("fork")
    while number < end:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(reader, number, end, theirs))
        process.start()
        theirs.close()
        for outcome in _received(ours):
            yield outcome
            number = outcome.number + 1
        if number < end:
            process.kill()
            process.join()
            yield Outcome(number, UNDECLARED, f"the process ended ({process.exitcode})")
            number += 1
        process.join()


def _received(pipe: Connection) -> Iterator[Outcome]:
    try:
        while pipe.poll(STILL):
            yield pipe.recv()
    except EOFError:
        return


def _work(reader: Reader, number: int, end: int, pipe: Connection) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, quiet():
        desk = Desk(reader, Path(folder))
        before = _peak()
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        space = pages * resource.getpagesize() + SPACE
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
        for each in range(number, end):
            outcome = desk.try_input(each)._replace(memory=_peak() - before)
            if outcome.memory > MEMORY and outcome.kind != UNDECLARED:
                outcome = outcome._replace(kind=UNDECLARED, words="too much memory")
            pipe.send(outcome)
    pipe.close()


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the log, warnings and what is printed from the terminal; make the trap importable."""
    logging.disable()
    with (
        tempfile.TemporaryDirectory(prefix="trap-") as folder,
        warnings.catch_warnings(action="ignore"),
        redirect_stdout(StringIO()),
        redirect_stderr(StringIO()),
    ):
        (Path(folder) / f"{TRAP}.py").write_text("def trap(*_, **__):\n    return None\n")
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)
            sys.modules.pop(TRAP, None)
            logging.disable(logging.NOTSET)
