"""A project of its own for wrong commands, in this process: they end before anything is trained.

Its data are prepared, for the stages that read weights need them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sakd.command.main import main
from sakd.project.parameters import activate

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "conf", folder / "conf")
    text = (ROOT / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(re.search(r"(?ms)^\[tool.kedro\].*?\n\n", text)[0])
    (folder / "src").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("KEDRO_ENV", raising=False)
        with pytest.raises(SystemExit, match="0"):
            main(["run", "--env", "smoke", "--pipelines", "data_preparation"])
    return folder


@pytest.fixture(autouse=True)
def _in_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(project)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    yield
    activate(None)
