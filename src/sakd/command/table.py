"""The commands and what each of them does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sakd.foundation.tables import Table


class Entry(NamedTuple):
    """A command.

    Attributes:
        purpose: What it does.
        extra: The extra of the package that it needs, see `sakd.foundation.extras`; None for none.
    """

    purpose: str
    extra: str | None = None


COMMANDS = Table(
    "command",
    {
        "run": Entry("train, evaluate and report, with the options of kedro run", "project"),
        "plan": Entry("show what a run would train, and about how long that takes here", "project"),
        "study": Entry("study what the choice of the router is worth", "project"),
        "slurm": Entry("write a batch script that runs a study on a cluster with SLURM"),
        "status": Entry("tell what of a study is done, running, failed or missing", "project"),
        "dvc": Entry("write the stages of DVC from the grid, or check them", "project"),
        "watch": Entry("show the trainings that run at this moment"),
        "results": Entry("show the cells of all grids and datasets in one table", "report"),
        "report": Entry("show where the latest report is, and open it"),
        "best": Entry("recommend the student to ship, under a budget", "report"),
        "export": Entry("export a finished network as a folder that other programs can use"),
        "predict": Entry("classify pictures with a finished network"),
        "evaluate": Entry("measure a finished network on a folder of labelled pictures"),
        "clean": Entry("remove the trainings that the present grid does not use", "project"),
        "list": Entry("list distillers, systems, networks, policies, objectives or datasets"),
        "spots": Entry("show the stages of a network, and where it is distilled"),
    },
)
"""The commands by name; each is the module of its name in this package.

A module is imported only when its command is called, so that ``sakd --help`` waits for none.
"""


class Command(Protocol):
    """The module of a command."""

    def run(self, arguments: Sequence[str]) -> None:
        """Carry the command out, and write its results to standard output.

        Args:
            arguments: The words after the command's name.

        Raises:
            UserError: A mistake of the user; it becomes one line and exit status 1.
        """
        ...
