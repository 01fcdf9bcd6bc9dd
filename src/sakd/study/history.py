"""The history of a training on disk: a line for every epoch, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from sakd.foundation.files import at_once, openable
from sakd.foundation.sealing import damaged


def read_history(path: Path) -> list[dict[str, float]]:
    """Read the records of the epochs, in order; they may differ in their terms.

    Raises:
        DamagedError: The file is damaged.
    """
    with openable(path).open(newline="", encoding="utf-8") as lines:
        try:
            return [_numbers(line) for line in csv.DictReader(lines, strict=True)]
        except (ValueError, csv.Error) as error:
            raise damaged(path, error) from error


def write_history(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write the records of the epochs, whole or not at all."""
    with at_once(path) as partial, partial.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, {name: None for record in history for name in record})
        writer.writeheader()
        writer.writerows(history)


def _numbers(line: Mapping[str | None, str | None]) -> dict[str, float]:
    """Read a line; what is beyond the names of the first line is called None."""
    if None in line:
        raise ValueError("a line has more numbers than there are names")
    return {str(name): float(value) for name, value in line.items() if value}
