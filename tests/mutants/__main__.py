"""Change the code a little, one change at a time, and list the changes that no test notices.

Ends with 1 if one of these is not explained in `explained.csv`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from mutants.areas import AREAS
from mutants.making import Key

EXPLAINED = Path(__file__).with_name("explained.csv")
LIVE = ("survived", "not reached")


def main() -> int:
    """Run the areas that are asked for in a copy of the project."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--area", choices=AREAS, action="append")
    parser.add_argument("--sample", type=int, help="mutants of an area; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--only", default="", help="a part of the name of a module or function")
    arguments = parser.parse_args()
    explained = read_explained()
    good = True
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder, "project")
        copy_project(copy)
        for name in arguments.area or AREAS:
            sample = AREAS[name].sample if arguments.sample is None else arguments.sample
            options = [f"--sample={sample}", f"--seed={arguments.seed}"]
            found = run_area(name, copy, [*options, f"--only={arguments.only}"])
            good &= found is not None and report(name, found, explained)
    return 0 if good else 1


def copy_project(to: Path) -> None:
    """Copy what git would keep, so that no mutant writes into the project or its data."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(os.path.isfile, listed.stdout.split("\0")):
        to.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, to / name)


def run_area(name: str, copy: Path, options: list[str]) -> dict[Key, str] | None:
    """Give what came of every mutant; None if the tests fail without one."""
    found = copy.parent / f"{name}.jsonl"
    paths = [str(copy / folder) for folder in ("src", "tests")]
    environment = {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mutants.area", name, str(found), *options],
        cwd=copy,
        env=os.environ | environment,
        check=False,
        stdout=subprocess.DEVNULL,
    )
    if done.returncode:
        return None
    lines = map(json.loads, found.read_text(encoding="utf-8").splitlines())
    return {Key(*key): outcome for *key, outcome in lines}


def read_explained() -> dict[Key, str]:
    """Read why survivors are none of the tests' concern."""
    with EXPLAINED.open(encoding="utf-8", newline="") as file:
        return {Key(*key): reason for *key, reason in list(csv.reader(file))[1:]}


def report(name: str, found: dict[Key, str], explained: dict[Key, str]) -> bool:
    """Print the figures of an area and its unexplained survivors; tell whether there is none."""
    counts = Counter(found.values())
    alive = [key for key, outcome in found.items() if outcome in LIVE]
    unexplained = [key for key in alive if key not in explained]
    for key, outcome in found.items():
        if key in explained and outcome not in LIVE:
            show(f"{name}: explained, but {outcome}: {'; '.join(key)}")
    for key in unexplained:
        show(f"{name}: {found[key]}: {'; '.join(key)}")
    killed = sum(counts[each] for each in ("killed", "timed out", "crashed"))
    kept = len(alive) - len(unexplained)
    show(
        f"{name}: {len(found)} mutants, {killed} killed, {kept} survive and are explained, "
        f"{len(unexplained)} survive, {counts['not applied']} could not be made"
    )
    return not unexplained


def show(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
