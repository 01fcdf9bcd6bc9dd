"""Run the mutants of one area in this process, and write what came of them, one a line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from mutants.areas import AREAS
from mutants.making import Mutant
from mutants.running import Outcome, Runner, sample


def main() -> int:
    """Run an area in the current folder, a copy of the project's."""
    parser = argparse.ArgumentParser()
    parser.add_argument("area", choices=AREAS)
    parser.add_argument("found", type=Path)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    area, choose = AREAS[arguments.area], sample(arguments.sample or None, arguments.seed)

    def chosen(every: list[Mutant]) -> list[Mutant]:
        return choose([one for one in every if arguments.only in ".".join(one.key[:2])])

    with arguments.found.open("w", encoding="utf-8") as found:

        def say(outcome: Outcome) -> None:
            found.write(json.dumps([*outcome.key, outcome.outcome]) + "\n")
            found.flush()

        modules = list(area.modules(Path("src")))
        runner = Runner(modules, chosen, say)
        tests = [str(Path("tests", path)) for path in area.tests]
        options = ["--quiet", "--capture=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
        pytest.main([*options, *tests], plugins=[runner])
    for line in runner.broken:
        sys.stderr.write(f"mutants: fails without a mutant: {line}\n")
    sys.stdout.write(f"{runner.made}\n")
    return 1 if runner.broken else 0


if __name__ == "__main__":
    sys.exit(main())
