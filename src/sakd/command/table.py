"""The commands and what each of them does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sakd.foundation.tables import Table

COMMANDS = Table(
    "command",
    {
        "run": "train, evaluate and report, with the options of kedro run",
        "plan": "show what a run would train, and about how long that takes here",
        "study": "study what the choice of the router is worth",
        "watch": "show the trainings that run at this moment",
        "report": "show where the latest report is, and open it",
        "best": "recommend the student to ship, under a budget",
        "export": "export a finished network as a folder that other programs can use",
        "predict": "classify pictures with a finished network",
        "evaluate": "measure a finished network on a folder of labelled pictures",
        "clean": "remove the trainings that the present grid does not use",
        "list": "list distillers, networks, policies, objectives or datasets",
        "spots": "show the stages of a network, and where it is distilled",
    },
)
"""What each command does, by name; it is the module of its name in this package.

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
