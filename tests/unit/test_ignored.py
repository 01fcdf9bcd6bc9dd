"""Git leaves environments out, whatever they are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_an_environment_that_is_a_link_is_no_file_of_the_project(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".venv").symlink_to("elsewhere")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    asked = ["git", "status", "--porcelain", "-uall"]
    found = subprocess.run(asked, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["??", ".gitignore"]
