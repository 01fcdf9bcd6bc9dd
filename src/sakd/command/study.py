"""Run the study of the router, on the digits and on CIFAR-100, and write its verdict."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from multiprocessing import active_children, get_context
from pathlib import Path

from sakd.command import run as runs
from sakd.command.parser import Parser
from sakd.foundation.errors import require
from sakd.foundation.signals import orderly, postponed
from sakd.project.given import overridden
from sakd.project.signals import stopped_by_signals
from sakd.reporting.verdict.writing import check, write

DATA = Path("data/study")
"""Where the environments of the study keep their results, see their ``globals.yml``."""

ENVIRONMENTS = {"digits": "study_digits", "cifar100": "study_cifar100"}
"""The environment of each dataset."""

FAST = {
    "digits": "grid.seeds=0+1+2,grid.distillers=at,grid.policies=always+adaptive+random_matched",
    "cifar100": "grid.seeds=0+1,grid.policies=always+adaptive+random_matched,"
    "grid.pairs=resnet20@brief/resnet8,student.epochs=3",
}
"""Parameters of the part of the study that takes minutes: no result, but the whole way to one."""


def run(arguments: Sequence[str]) -> None:
    """Run the study, and write the verdict on what has finished.

    Raises:
        UserError: The page cannot be used, before any run; or a run did not finish.
        OSError: A file cannot be written, before any run.
    """
    parser = Parser("study", __doc__)
    parser.add_argument("--fast", action="store_true", help="a part of it, in minutes")
    parser.add_argument(
        "--cifar100",
        metavar="PARAMS",
        default="",
        help="further parameters for CIFAR-100, such as data.source=parquet,data.path=DIR",
    )
    parser.add_argument(
        "--page",
        type=Path,
        help=f"a page with prose, which is kept; without it, a fresh one is {DATA}/verdict.md",
    )
    chosen = parser.parse_args(arguments)
    given = FAST if chosen.fast else dict.fromkeys(ENVIRONMENTS, "")
    page, keep = chosen.page or DATA / "verdict.md", chosen.page is not None
    check([*ENVIRONMENTS], page, keep=keep)
    done = _finished({**given, "cifar100": overridden(given["cifar100"], chosen.cifar100)})
    if done:
        write(DATA, done, page, keep=keep)
        sys.stdout.write(f"verdict: {page}\n")
    missing = " and ".join(dataset for dataset in ENVIRONMENTS if dataset not in done)
    require(not missing, f"there is no verdict on {missing}: its run, above, did not finish")


def _finished(given: Mapping[str, str]) -> list[str]:
    """Run the environments side by side, one process each, and name the datasets that succeeded.

    What is finished is skipped, so a study that was stopped goes on where it was.

    Args:
        given: Parameters as ``kedro run --params`` takes them, by dataset; empty for none.

    Raises:
        SystemExit: A signal has asked the study to end, and all processes have done so.
    """
    start = get_context("spawn").Process  # torch's threads do not survive a fork
    processes = {
        dataset: start(target=runs.run, args=(_arguments(env, given[dataset]),))
        for dataset, env in ENVIRONMENTS.items()
    }
    with stopped_by_signals(), orderly():  # signals reach the processes as well: they will end
        try:
            with postponed():
                for process in processes.values():
                    process.start()
            for process in processes.values():
                process.join()
        finally:
            for child in active_children():
                child.join()
    return [dataset for dataset, process in processes.items() if process.exitcode == 0]


def _arguments(env: str, parameters: str) -> list[str]:
    return ["--env", env, *(["--params", parameters] if parameters else [])]
