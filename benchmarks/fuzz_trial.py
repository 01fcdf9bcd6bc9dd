"""One input: valid files are changed, read, judged, and put back."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from fuzz_changes import Change, damage, of_one, often, one_of
from fuzz_json import TRAP

from sakd.foundation.errors import UserError
from sakd.foundation.sealing import CHECKSUM

SECONDS = 10.0
"""The most processor time that an input may take."""

SEAL = CHECKSUM.encode()

ACCEPTED, REFUSED, UNDECLARED = "accepted", "refused", "undeclared"

_moments = count(10**18, 10**6)


class Passed(Exception):  # noqa: N818 - no error
    """A damaged file was found, and passed over with a warning, as is declared."""


class Late(BaseException):
    """An input takes too long."""


@dataclass(frozen=True)
class Reader:
    """Something that reads files.

    Attributes:
        name: What it reads.
        share: Its share of all inputs, in relation to those of others.
        write: Writes valid files to a folder.
        read: Reads them from there; gives something that equals itself when it is read again.
        forge: Changes that somebody may make who knows the form of the files, and their checksums.
        damaged: The share of inputs that are damaged bytes; all where nothing is forged.
        ending: Of the files that are damaged.
        sealed: Whether the files have checksums, so that damage may never give other values.
        declared: The errors that it may raise; those of the system must name a file.
        imports: Whether it may import what it reads, as parameters may name code.
    """

    name: str
    share: int
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    forge: Sequence[Change] = ()
    damaged: float = 0.5
    ending: str = ""
    sealed: bool = False
    declared: tuple[type[Exception], ...] = (UserError, OSError)
    imports: bool = False


class Outcome(NamedTuple):
    """What came of an input.

    Attributes:
        number: Its number, which seeds it.
        kind: Accepted, refused or undeclared.
        words: What is undeclared.
        trace: The traceback of what is undeclared.
        seconds: The processor time that it took.
        memory: The most memory of the process so far, in bytes, beyond that before.
    """

    number: int
    kind: str
    words: str = ""
    trace: str = ""
    seconds: float = 0.0
    memory: int = 0


class Desk:
    """A folder with the valid files of a reader, which are put back after every input."""

    def __init__(self, reader: Reader, folder: Path) -> None:
        """Write valid files to ``folder``, and read them once."""
        self.reader, self.folder = reader, folder
        reader.write(folder)
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        self.valid = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
        self.value = reader.read(folder)

    def try_input(self, number: int) -> Outcome:
        """Change the files as the ``number`` says, and read them."""
        draw = np.random.default_rng([crc32(self.reader.name.encode()), number])
        forged = bool(self.reader.forge) and not often(draw, self.reader.damaged)
        spoil = of_one(damage, ending=self.reader.ending)
        changed = (one_of(draw, self.reader.forge) if forged else spoil)(self.valid, draw)
        # Without its checksum a file is one of an earlier version.
        forged |= any(SEAL in self.valid.get(n, b"") and SEAL not in x for n, x in changed.items())
        begun = time.process_time()
        try:
            self._put(changed)
            outcome = self._judged(number, forged=forged)
            return outcome._replace(seconds=time.process_time() - begun)
        finally:
            self._tidy(changed)

    def _judged(self, number: int, *, forged: bool) -> Outcome:
        try:
            with limited():
                value = self.reader.read(self.folder)
        except (Exception, Late) as error:
            return self._raised(number, error)
        if TRAP in sys.modules and not self.reader.imports:
            return Outcome(number, UNDECLARED, "code that a file names was imported")
        if self.reader.sealed and not forged and value != self.value:
            return Outcome(number, UNDECLARED, "damage was not found: other values")
        return Outcome(number, ACCEPTED)

    def _raised(self, number: int, error: BaseException) -> Outcome:
        fault = "" if isinstance(error, Passed) else _fault(error)
        if not isinstance(error, (*self.reader.declared, Passed)):
            fault = f"in {_place(error)}"
        if not fault:
            return Outcome(number, REFUSED)
        trace = "".join(traceback.format_exception(error))
        return Outcome(number, UNDECLARED, f"{type(error).__name__} {fault}", trace)

    def _put(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            moment = next(_moments)  # a time of its own, by which it counts as changed
            os.utime(path, ns=(moment, moment))

    def _tidy(self, changed: dict[str, bytes]) -> None:
        for path in self.folder.rglob("*"):
            if path.is_file() and path.relative_to(self.folder).as_posix() not in self.valid:
                path.unlink()
        gone = {name for name in self.valid if not (self.folder / name).is_file()}
        self._put({name: self.valid[name] for name in gone | (changed.keys() & self.valid.keys())})


def _fault(error: BaseException) -> str:
    """Say what is wrong with a declared error; empty if it is one line that names its file."""
    said = str(error)
    if "\n" in said:
        return "of several lines"
    if "\x1b" in said or "\0" in said:
        return "with codes of the terminal"
    nameless = isinstance(error, OSError) and error.filename is None and "/" not in said
    return "without a file" if nameless else ""


def _place(error: BaseException) -> str:
    """Name the last line of the project that an error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}sakd{os.sep}" in frame.filename]
    last = (own or frames)[-1]
    return f"{Path(last.filename).name}:{last.lineno} {last.name}"


@contextmanager
def limited(seconds: float = SECONDS) -> Iterator[None]:
    """Raise `Late` if the block takes more than ``seconds`` of processor time."""

    def late(_number: int, _frame: object) -> None:
        raise Late(f"{seconds:g} seconds")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
