"""A small study whose runs are killed, stopped and starved of disk.

Every run is a copy of this process, which has imported what takes long.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

from faults_damages import left_over, outcome
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


class Study:
    """A study of two cells, with all its files in a folder.

    Attributes:
        data: The folder of all data.
        seconds: How long a run from nothing takes.
        expected: The outcome of a run that nothing has disturbed.
    """

    def __init__(self, folder: Path) -> None:
        """Put the configuration and the data into ``folder``."""
        self.conf, self.data, self.finished = (folder / n for n in ("conf", "data", "finished"))
        self.seconds = 0.0
        self.expected: dict[str, str] = {}
        self._said = b""
        shutil.copytree(ROOT / "conf", self.conf)
        (self.conf / "smoke" / "globals.yml").write_text(f"data_root: {self.data}\n")

    def prepare(self) -> None:
        """Run from nothing, undisturbed; leave a copy of the files and remember the outcome.

        Raises:
            RuntimeError: The run failed.
        """
        started = time.monotonic()
        if self.run():
            raise RuntimeError("\n".join(self.lines()))
        self.seconds = time.monotonic() - started
        self.expected = outcome(self.data)
        shutil.copytree(self.data, self.finished)

    def reset(self, *, finished: bool = True) -> None:
        """Go back to the finished study, or to nothing."""
        shutil.rmtree(self.data, ignore_errors=True)
        if finished:
            shutil.copytree(self.finished, self.data)

    def run(
        self,
        number: signal.Signals | None = None,
        *,
        when: Callable[[float], bool] = lambda _seconds: False,
        limit: int | None = None,
        stage: str = "distill",
        more: str = "",
    ) -> int:
        """Run the study; give the exit status, or the number of the signal below 0.

        Args:
            number: A signal that the run gets once.
            when: Tells, by the seconds that it has taken, whether it gets the signal now.
            limit: The bytes above which no file may grow.
            stage: The pipeline.
            more: Further parameters.
        """
        arguments = ["kedro", "run", "--conf-source", str(self.conf), "--env", "smoke"]
        arguments += ["--pipelines", stage, "--params", ",".join(filter(None, (PARAMETERS, more)))]
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(reading)
            _become(arguments, writing, limit)
        os.close(writing)
        listening = Thread(target=self._listen, args=(reading,))
        listening.start()
        started = time.monotonic()
        while (ended := os.waitpid(process, os.WNOHANG)) == (0, 0):
            if number is not None and when(time.monotonic() - started):
                os.kill(process, number)
                number = None
            time.sleep(0.005)
        listening.join()
        return os.waitstatus_to_exitcode(ended[1])

    def has(self, name: str) -> Callable[[float], bool]:
        """Tell, whatever the seconds, whether there is a file of this ``name``."""

        def there(_seconds: float) -> bool:
            with suppress(FileNotFoundError):  # folders of half-written files come and go
                return any(self.data.rglob(name))
            return False

        return there

    def lines(self) -> list[str]:
        """Give what the last run has said."""
        return self._said.decode(errors="replace").splitlines()

    def last_line(self) -> str:
        """Give the last line of the last run."""
        return (self.lines() or [""])[-1]

    def complaint(self) -> str:
        """Run to the end; say in words what is not as it should be, or nothing."""
        if status := self.run():
            return f"the rerun ended with {status}: {self.last_line()}"
        if left := left_over(self.data):
            return f"left over: {', '.join(left)}"
        return self.difference()

    def difference(self) -> str:
        """Say which files differ from those of a run that nothing has disturbed."""
        found = outcome(self.data)
        names = sorted(found.keys() | self.expected.keys())
        others = [name for name in names if found.get(name) != self.expected.get(name)]
        shown = ", ".join(others[:SHOWN])
        return f"other bits in {len(others)} files: {shown}" if others else ""

    def _listen(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as pipe:
            self._said = pipe.read()


def _become(arguments: list[str], writing: int, limit: int | None) -> None:
    """Become a run with ``arguments`` that writes to the pipe ``writing``; never return."""
    status: object = 1
    try:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.chdir(ROOT)
        sys.argv = arguments
        signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it in backgrounds
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        kedro()
        status = 0
    except SystemExit as ended:
        status = ended.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else int(status is not None))
