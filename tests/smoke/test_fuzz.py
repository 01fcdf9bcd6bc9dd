"""`make fuzz` ends with its counts, and with 1 if something is not declared."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"


def test_the_counts_come_last() -> None:
    command = [sys.executable, str(FUZZ), "--only", "history", "--inputs", "20"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    *_, counted, limits, last = ended.stdout.splitlines()
    assert counted.split()[:2] == ["history", "20"]
    assert limits.startswith("limits: 10 s")
    assert last == "20 inputs, 0 undeclared"
