"""Change valid files at random, and read them: only declared errors, in time, in little memory.

Files are damaged byte by byte, or changed by somebody who knows their form: other values of all
types in JSON with the right checksum, other columns of Parquet, other members of archives, other
instructions of pickles. Every input follows from the name of the reader and a number.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # or a copy of this process would wait for its threads

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from fuzz_process import MEMORY, outcomes
from fuzz_readers import READERS
from fuzz_trial import ACCEPTED, REFUSED, SECONDS, UNDECLARED, Outcome, Reader

HEAD = ("reader", "inputs", ACCEPTED, REFUSED, UNDECLARED, "slowest ms", "peak MB")


def shares(readers: Sequence[Reader], inputs: int) -> list[int]:
    """Divide ``inputs`` among the readers by their shares."""
    total = sum(reader.share for reader in readers)
    ends = [sum(r.share for r in readers[: k + 1]) * inputs // total for k in range(len(readers))]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def line(reader: Reader, found: Sequence[Outcome]) -> tuple[str, ...]:
    """Count the outcomes of a reader."""
    kinds = Counter(outcome.kind for outcome in found)
    slowest = max((outcome.seconds for outcome in found), default=0.0)
    peak = max((outcome.memory for outcome in found), default=0)
    counts = (len(found), *(kinds[kind] for kind in (ACCEPTED, REFUSED, UNDECLARED)))
    return reader.name, *map(str, counts), f"{1000 * slowest:.0f}", f"{peak / 2**20:.0f}"


def row(name: str, *cells: str) -> str:
    """Write a row of the table."""
    return f"{name:<32}" + "".join(f"{cell:>12}" for cell in cells)


def complaints(reader: Reader, found: Iterable[Outcome], *, trace: bool) -> list[str]:
    """Name what is undeclared, once for each place, with an input that shows it."""
    first: dict[str, Outcome] = {}
    times: Counter[str] = Counter()
    for outcome in found:
        if outcome.kind == UNDECLARED:
            first.setdefault(outcome.words, outcome)
            times[outcome.words] += 1
    return [
        f"{reader.name}: {words} ({times[words]} times; again with "
        f"--only '{reader.name}' --first {one.number} --inputs 1)"
        + (f"\n{one.trace}" if trace else "")
        for words, one in first.items()
    ]


def main() -> int:
    """Try the inputs, print a line for each reader and the counts; give 1 if one is undeclared."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="inputs of all readers together")
    parser.add_argument("--first", type=int, default=0, help="the number of the first of each")
    parser.add_argument("--only", default="", help="readers whose names begin so")
    parser.add_argument("--trace", action="store_true", help="show tracebacks")
    given = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [reader for reader in READERS if reader.name.startswith(given.only)]
    if not chosen:
        print(f"no reader begins with {given.only!r}: {', '.join(r.name for r in READERS)}")
        return 1
    total, wrong = 0, 0
    print(row(*HEAD))
    for reader, count in zip(chosen, shares(chosen, given.inputs), strict=True):
        found = list(outcomes(reader, given.first, count))
        print(row(*line(reader, found)), flush=True)
        total += len(found)
        wrong += sum(outcome.kind == UNDECLARED for outcome in found)
        for complaint in complaints(reader, found, trace=given.trace):
            print(complaint, flush=True)
    print(f"limits: {SECONDS:g} s of processor time an input, {MEMORY / 2**20:,.0f} MB")
    print(f"{total} inputs, {wrong} undeclared")
    return min(1, wrong)


if __name__ == "__main__":
    sys.exit(main())
