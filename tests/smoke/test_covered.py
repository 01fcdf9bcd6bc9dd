"""The verdict on what the tests have run counts lines and branches each by themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "covered.py"
SETTINGS = "[tool.coverage.run]\nbranch = true\n[tool.coverage.report]\nfail_under = 75\n"
PROGRAMS = {
    "nothing": ("for a in (1, 2):\n    if a == 1:\n        print()\n", "100.00", "100.00"),
    "branches": ("if str():\n    a = 1\n" + "b = 1\n" * 20, "95.45", "50.00"),
    "lines": ("def unused():\n" + "    a = 1\n" * 20, "4.76", "100.00"),
    "lines and branches": ("if str():\n" + "    a = 1\n" * 20, "4.76", "50.00"),
}
"""A program, and the percentages of its lines and branches that are run, by what are too few."""


@pytest.mark.parametrize("few", PROGRAMS)
def test_too_few_lines_or_branches_fail(few: str, tmp_path: Path) -> None:
    program, lines, branches = PROGRAMS[few]
    (tmp_path / "program.py").write_text(program)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    own = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    for command in (["-m", "coverage", "run", "program.py"], [str(SCRIPT)]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            env=own,
            capture_output=True,
            text=True,
            check=False,
        )
    assert f"lines {lines} %, branches {branches} %" in done.stdout
    assert done.returncode == (few != "nothing")
    assert (f"too few {few} were run" in done.stderr) == (few != "nothing")
