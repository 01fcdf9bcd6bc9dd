"""A small study whose runs are killed, stopped and starved of disk.

Every run is a copy of this process, which has imported what takes long.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.util import _exit_function
from pathlib import Path
from threading import Thread

from faults_damages import left_over, outcome
from faults_inside import Inside, nothing
from kedro.framework.cli.cli import main as kedro

import sakd.cli
import sakd.pipeline_registry

IMPORTED = (sakd.cli, sakd.pipeline_registry)

ROOT = Path(__file__).parents[1]

PARAMETERS = (
    "grid.distillers=kd,grid.policies=adaptive,teacher.epochs=3,student.epochs=3,threads=1,"
    "corruptions=false,data.train_size=400,teacher.checkpoint_seconds=0,"
    "student.checkpoint_seconds=0,teacher.checkpoint_steps=3,student.checkpoint_steps=2,"
    "student.keep_epochs=2"
)

SHOWN = 3
"""Files that a complaint lists."""

LONGEST = 300.0
"""Seconds after which a run is killed, and has failed by that."""

PATIENCE = 5.0
"""Seconds for the last words of a run that has ended."""

Act = Callable[[int], None]
"""Something that is done to a run, by the number of its process."""


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

    def end(self, act: Act | None = None, when: Callable[[float], bool] | None = None) -> int:
        """Wait for the end; give the exit status, or the number of the signal below 0.

        Args:
            act: What is done once to the run.
            when: Tells, by the seconds that it has taken, whether it is done now.
        """
        if self._status is not None:
            return self._status
        started = time.monotonic()
        while (ended := os.waitpid(self.process, os.WNOHANG)) == (0, 0):
            seconds = time.monotonic() - started
            if act is not None and (when is None or when(seconds)):
                act(self.process)
                act = None
            if seconds > LONGEST:
                os.kill(self.process, signal.SIGKILL)
            time.sleep(0.005)
        self._listening.join(PATIENCE)  # processes that stay hold the pipe open
        self._status = os.waitstatus_to_exitcode(ended[1])
        return self._status

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
        return "" if fine and not told else complaint

    def _listen(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as pipe:
            while said := pipe.read1():
                self._said += said


class Study:
    """A study of two cells, with all its files in a folder.

    Attributes:
        data: The folder of all data.
        seconds: How long a run from nothing takes.
        expected: The outcome of a run that nothing has disturbed.
        accuracies: What it has printed.
    """

    def __init__(self, folder: Path) -> None:
        """Put the configuration and the data into ``folder``."""
        self.conf, self.data, self.finished = (folder / n for n in ("conf", "data", "finished"))
        self.seconds = 0.0
        self.expected: dict[str, str] = {}
        self.accuracies: list[str] = []
        shutil.copytree(ROOT / "conf", self.conf)
        (self.conf / "smoke" / "globals.yml").write_text(f"data_root: {self.data}\n")

    def prepare(self) -> None:
        """Run from nothing, undisturbed; leave a copy of the files and remember the outcome.

        Raises:
            RuntimeError: The run failed.
        """
        started = time.monotonic()
        run = self.start()
        if run.end():
            raise RuntimeError("\n".join(run.lines()))
        self.seconds = time.monotonic() - started
        self.expected, self.accuracies = outcome(self.data), run.accuracies()
        shutil.copytree(self.data, self.finished)

    def reset(self, *, finished: bool = True) -> None:
        """Go back to the finished study, or to nothing."""
        shutil.rmtree(self.data, ignore_errors=True)
        if finished:
            shutil.copytree(self.finished, self.data)

    def start(
        self,
        *options: str,
        inside: Inside = nothing,
        stage: str = "distill",
        more: str = "",
    ) -> Running:
        """Start a run.

        Args:
            options: Further options of ``kedro run``.
            inside: A fault that it meets.
            stage: The pipeline.
            more: Further parameters.
        """
        arguments = ["kedro", "run", "--conf-source", str(self.conf), "--env", "smoke"]
        arguments += ["--pipelines", stage, "--params", ",".join(filter(None, (PARAMETERS, more)))]
        return Running([*arguments, *options], inside)

    def has(self, name: str) -> Callable[[float], bool]:
        """Tell, whatever the seconds, whether there is a file of this ``name``."""
        # Unlike rglob, this bears folders of half-written files, which come and go.
        return lambda _seconds: any(name in files for _, _, files in os.walk(self.data))

    def complaint(self, *, others: bool = False) -> str:
        """Run to the end; say in words what is not as it should be, or nothing.

        Args:
            others: Whether there may be results of other runs.
        """
        run = self.start()
        if status := run.end():
            return f"the rerun ended with {status}: {run.last_line()}"
        if left := left_over(self.data):
            return f"left over: {', '.join(left)}"
        return self.difference(others=others)

    def difference(self, *, others: bool = False) -> str:
        """Say which files differ from those of a run that nothing has disturbed."""
        found = outcome(self.data)
        names = self.expected.keys() | (set() if others else found.keys())
        differ = [name for name in sorted(names) if found.get(name) != self.expected.get(name)]
        shown = ", ".join(differ[:SHOWN])
        return f"other bits in {len(differ)} files: {shown}" if differ else ""


def _become(arguments: list[str], writing: int, inside: Inside) -> None:
    """Become a run with ``arguments`` that writes to the pipe ``writing``; never return."""
    status: object = 1
    try:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.chdir(ROOT)
        sys.argv = arguments
        signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it in backgrounds
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
