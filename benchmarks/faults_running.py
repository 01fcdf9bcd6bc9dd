"""Runs that a fault may meet: copies of this process, which has imported what takes long."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
import traceback
from multiprocessing.util import _exit_function
from pathlib import Path
from threading import Thread

from faults_inside import Inside
from kedro.framework.cli.cli import main as kedro

import sakd.cli
import sakd.pipeline_registry
from sakd.project.signals import SHELL

IMPORTED = (sakd.cli, sakd.pipeline_registry)

ROOT = Path(__file__).parents[1]

LONGEST = 900.0
"""Seconds after which a run is killed, and has failed by that."""

PAUSE = 0.005
"""Seconds between two looks at a run."""

TICKS = os.sysconf("SC_CLK_TCK")

PATIENCE = 5.0
"""Seconds for the last words of a run that has ended."""


class Running:
    """A run that has started."""

    def __init__(self, arguments: list[str], inside: Inside) -> None:
        """Start ``kedro`` with ``arguments``, after a fault from ``inside``."""
        reading, writing = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.close(reading)
            _become(arguments, writing, inside)
        os.close(writing)
        self._said = b""
        self._status: int | None = None
        self._listening = Thread(target=self._listen, args=(reading,), daemon=True)
        self._listening.start()

    def end(self) -> int:
        """Wait for the end; give the exit status, or the number of the signal below 0."""
        self.kill_after(math.inf)
        return self._status

    def kill_after(self, seconds: float) -> bool:
        """Kill the run once it has taken ``seconds`` of processor time; tell whether that came."""
        began = time.monotonic()
        while self._status is None and not self._ended(os.WNOHANG):
            taken = spent(self.process)
            if taken > seconds or time.monotonic() - began > LONGEST:
                os.kill(self.process, signal.SIGKILL)
                self._ended(0)
            time.sleep(PAUSE)
        return self._status == -signal.SIGKILL

    def stops(self) -> bool:
        """Wait until the run has stopped itself; tell whether it has."""
        _, found = os.waitpid(self.process, os.WUNTRACED)
        if not os.WIFSTOPPED(found):
            self._note(found)
        return os.WIFSTOPPED(found)

    def _ended(self, how: int) -> bool:
        process, found = os.waitpid(self.process, how)
        if process:
            self._note(found)
        return bool(process)

    def _note(self, found: int) -> None:
        self._status = os.waitstatus_to_exitcode(found)
        self._listening.join(PATIENCE)  # processes that stay hold the pipe open

    def lines(self) -> list[str]:
        """Give what the run has said, once it has ended."""
        return self._said.decode(errors="replace").splitlines()

    def last_line(self) -> str:
        """Give the last line."""
        return (self.lines() or [""])[-1]

    def accuracies(self) -> list[str]:
        """Give the lines of the printed tables that have accuracies."""
        return [line for line in self.lines() if "(n=" in line and "%" not in line]

    def not_in_one_line(self, word: object) -> str:
        """Say what is wrong with an end other than by one line that has ``word``; or nothing."""
        status, line = self.end(), self.last_line()
        fine = status == 1 and line.startswith("Error: ") and str(word) in line
        told = any(one.startswith("Traceback") for one in self.lines())
        complaint = f"exit status {status}, and not one line with {word}: {line}"
        return "" if fine and not told and self._alone("Error: ") else complaint

    def stopped(self, number: signal.Signals) -> str:
        """Say what is wrong with an end by a signal; or nothing."""
        status, line = self.end(), self.last_line()
        fine = (status, line) == (SHELL + number, f"stopped by {number.name}")
        told = any(one.startswith("Traceback") for one in self.lines())
        complaint = f"exit status {status} after {number.name}: {line}"
        return "" if fine and not told and self._alone("stopped by ") else complaint

    def _alone(self, beginning: str) -> bool:
        return sum(line.startswith(beginning) for line in self.lines()) == 1

    def _listen(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as pipe:
            while said := pipe.read1():
                self._said += said


def spent(process: int) -> float:
    """Count the seconds of processor time that a process has taken, by itself."""
    _, _, rest = Path(f"/proc/{process}/stat").read_text().rpartition(")")
    return sum(map(int, rest.split()[11:13])) / TICKS


def _become(arguments: list[str], writing: int, inside: Inside) -> None:
    """Become a run with ``arguments`` that writes to the pipe ``writing``; never return."""
    status: object = 1
    try:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.chdir(ROOT)
        sys.argv = arguments
        signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it in backgrounds
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and nohup this one
        inside()
        kedro()
        status = 0
    except SystemExit as ended:
        status = ended.code
    except BaseException:
        traceback.print_exc()
    finally:
        _exit_function()  # as at the end of any process: it ends the children
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else int(status is not None))
