"""A small study whose runs are killed, stopped and starved of disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from faults_damages import left_over, outcome
from faults_inside import Inside, nothing
from faults_running import ROOT, Running

from sakd.project.given import overridden

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
        seconds: The processor time of a run from nothing.
        expected: The outcome of a run that nothing has disturbed.
        accuracies: What it has printed.
    """

    def __init__(self, folder: Path) -> None:
        """Put the configuration and the data into ``folder``."""
        self.conf, self.data, self.finished = (folder / n for n in ("conf", "data", "finished"))
        self.seconds = 0.0
        self.expected: dict[str, str] = {}
        self.accuracies: list[str] = []
        self._runs: list[Running] = []
        shutil.copytree(ROOT / "conf", self.conf)
        (self.conf / "smoke" / "globals.yml").write_text(f"data_root: {self.data}\n")

    def prepare(self) -> None:
        """Run from nothing, undisturbed; leave a copy of the files and remember the outcome.

        Twice, as Python compiles what it imports in the first run after an installation.

        Raises:
            RuntimeError: A run failed, or the second gave something else.
        """
        self._undisturbed()
        first = self.expected
        self.reset(finished=False)
        self._undisturbed()
        if self.expected != first:
            raise RuntimeError("two runs that nothing disturbed differ")
        shutil.copytree(self.data, self.finished)

    def _undisturbed(self) -> None:
        before = os.times()
        run = self.start()
        if run.end():
            raise RuntimeError("\n".join(run.lines()))
        after = os.times()
        self.seconds = sum(after[2:4]) - sum(before[2:4])
        self.expected, self.accuracies = outcome(self.data), run.accuracies()

    def reset(self, *, finished: bool = True) -> None:
        """Go back to the finished study, or to nothing; end what still runs."""
        for run in self._runs:
            run.kill_after(-1)
        self._runs.clear()
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
            more: Further parameters, which go before those of the study.
        """
        arguments = ["kedro", "run", "--conf-source", str(self.conf), "--env", "smoke"]
        arguments += ["--pipelines", stage, "--params", overridden(PARAMETERS, more)]
        self._runs.append(Running([*arguments, *options], inside))
        return self._runs[-1]

    def complaint(self, *, others: bool = False, saying: str = "") -> str:
        """Run to the end; say in words what is not as it should be, or nothing.

        Args:
            others: Whether there may be results of other runs.
            saying: What the run must say.
        """
        run = self.start()
        if status := run.end():
            return f"the rerun ended with {status}: {run.last_line()}"
        if not any(saying in line for line in run.lines()):
            return f"the rerun does not say {saying!r}"
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
