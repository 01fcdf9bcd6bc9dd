"""The library works without the project around it, and as the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sakd.foundation.errors import UserError
from sakd.study.parsing import parse_parameters

pytestmark = pytest.mark.slow

Run = Callable[[str], subprocess.CompletedProcess[str]]

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"^```python[^\n]*\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
BARRED = ("kedro", "kedro_datasets", "kedro_datasets_experimental", "kedro_viz", "pydantic", "dvc")
MODULES = (
    *("foundation", "weights", "networks", "data", "distillers", "routing", "objectives"),
    *("training", "reporting", "study.trainings", "study.train", "study.evaluation"),
)

BARRIER = f"""
import sys

class Barrier:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BARRED!r}:
            raise ModuleNotFoundError("the library imports " + name)

sys.meta_path.insert(0, Barrier())
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run code in a new interpreter, in an empty folder, without the project's packages."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def execute(code: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-c", BARRIER + code]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return execute


def test_the_library_imports_neither_kedro_nor_pydantic(run: Run) -> None:
    imports = "".join(f"import sakd.{module}\n" for module in MODULES)
    done = run(imports + f"assert not set({BARRED!r}) & set(sys.modules)")
    assert done.returncode == 0, done.stderr


def test_the_readme_shows_the_library_in_python() -> None:
    assert BLOCKS


def test_the_readme_shows_an_error_as_it_is_printed() -> None:
    with pytest.raises(UserError) as found:
        parse_parameters({"student": {"epoch": 3}})
    assert f"\nError: {found.value}\n" in README


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_what_the_readme_shows_runs(block: str, run: Run) -> None:
    done = run(re.sub(r"\bepochs=\d+", "epochs=1", block))
    assert done.returncode == 0, done.stderr
