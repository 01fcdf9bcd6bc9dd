"""The project as somebody gets it, and its commands as somebody types them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from running_folders import whole_files

ROOT = Path(__file__).parents[2]
COMMAND = "import sys; from sakd.command.main import main; sys.exit(main())"
OURS = ("KEDRO_ENV", "KEDRO_LOGGING_CONFIG", "FORCE_COLOR")

PATIENCE = 1200
"""Seconds after which a command hangs; slow machines too are far below."""

GATE = """
import os
import time
from pathlib import Path

from sakd.study.trackers import Tracker


class Gate(Tracker):
    def epoch(self, number, record):
        while self._names_this():
            time.sleep(0.02)

    def _names_this(self):
        try:
            return Path(os.environ["GATE"]).read_text() in self.tracked.id
        except FileNotFoundError:
            return False
"""

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Gate:
    """Holds trainings, so that a test finds them half done on fast and slow machines alike.

    A training is held in every epoch after its checkpoint, where ``trackers`` names ``gate:Gate``.
    """

    file: Path
    environment: dict[str, str] = field(repr=False)

    @contextmanager
    def shut(self, name: str) -> Iterator[None]:
        """Hold the trainings that have ``name`` in their ids meanwhile."""
        whole = self.file.with_suffix(".new")
        whole.write_text(name)
        whole.rename(self.file)
        try:
            yield
        finally:
            self.file.unlink()


class Running:
    """A command that runs, and its output."""

    def __init__(self, log: Path, command: list[str], **options: Any) -> None:
        """Start ``command``, which writes to the file ``log``."""
        self.log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, **options
            )

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text()

    def ended(self) -> int:
        """Wait for its end, and give its exit status."""
        return self.process.wait(PATIENCE)

    def until(self, found: Callable[[], Any]) -> Any:
        """Wait until ``found`` gives something, and give that."""
        end = time.monotonic() + PATIENCE
        while not (one := found()):
            assert self.process.poll() is None, self.output
            assert time.monotonic() < end, self.output
            time.sleep(0.02)
        return one

    def kill(self) -> None:
        """End it, if it has not ended."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Project:
    """A copy of the project in a folder of its own."""

    folder: Path
    environment: dict[str, str] = field(repr=False)

    def command(self, *arguments: str) -> list[str]:
        """The command line of ``kedro``."""
        return [sys.executable, "-m", "kedro", *arguments]

    def python(self, *arguments: str, environment: dict[str, str] | None = None) -> Done:
        """Run Python to its end."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment if environment is None else environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def kedro(self, *arguments: str, environment: dict[str, str] | None = None) -> Done:
        """Run ``kedro`` to its end."""
        return self.python("-m", "kedro", *arguments, environment=environment)

    def sakd(self, *arguments: str) -> Done:
        """Run the command ``sakd`` to its end."""
        return self.python("-c", COMMAND, *arguments)

    def study(self, *parameters: str) -> Done:
        """Run the main job of the smoke environment."""
        return self.kedro(*study(*parameters))

    @property
    def reporting(self) -> Path:
        """Where the reports of the smoke environment are."""
        return self.folder / "data" / "smoke" / "08_reporting" / "digits"

    @property
    def cells(self) -> Path:
        """Where the cells of the smoke environment are."""
        return self.folder / "data" / "smoke" / "06_models" / "digits" / "cells"

    def records(self) -> dict[str, int]:
        """When each training ended, by cell and key, in nanoseconds."""
        found = whole_files(self.cells, "record.json")
        return {"/".join(path.parts[-3:-1]): written for path, written in found.items()}

    def prepared(self) -> dict[str, int]:
        """When each prepared split was written, in nanoseconds."""
        primary = self.folder / "data" / "smoke" / "03_primary"
        return {p.stem: p.stat().st_mtime_ns for p in primary.rglob("*.safetensors")}

    def files(self) -> dict[str, bytes]:
        """Every file and its content, but for what Python compiles."""
        paths = self.folder.rglob("*")
        found = (p for p in paths if p.is_file() and "__pycache__" not in p.parts)
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}


def study(*parameters: str) -> list[str]:
    """The arguments of the main job."""
    given = ["--params", ",".join(parameters)] if parameters else []
    return ["run", "--pipelines", "distill", "--env", "smoke", *given]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the commands, which share what Python compiles for them."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    if kept.pop("PYTHONDONTWRITEBYTECODE", None):  # or each would compile everything
        kept["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("compiled"))
    return kept | {"DO_NOT_TRACK": "1"}


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Gate:
    """A gate, which is open; and Ray kills nothing because other programs take the memory."""
    folder = tmp_path_factory.mktemp("gate")
    (folder / "gate.py").write_text(GATE)
    path = os.pathsep.join(filter(None, (str(folder), environment.get("PYTHONPATH"))))
    file = folder / "shut"
    own = {"PYTHONPATH": path, "GATE": str(file), "RAY_memory_monitor_refresh_ms": "0"}
    return Gate(file, environment | own)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start commands, which end with the test at the latest."""
    started: list[Running] = []

    def begin(command: list[str], **options: Any) -> Running:
        started.append(Running(tmp_path / f"{len(started)}.log", command, **options))
        return started[-1]

    yield begin
    for one in started:
        one.kill()


@pytest.fixture(scope="session")
def copy_project(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> Callable[[], Project]:
    """Copy what git has or would take."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if (ROOT / name).is_file()]
    contents = {n: (ROOT / n).read_bytes() for n in names if not n.startswith("tests/")}

    def copy() -> Project:
        folder = tmp_path_factory.mktemp("project")
        for name, content in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return Project(folder, environment)

    return copy


@pytest.fixture(scope="session")
def fresh(copy_project: Callable[[], Project]) -> Project:
    """A project in which nothing has been run, and nothing is to be."""
    return copy_project()


@pytest.fixture(scope="session")
def project(copy_project: Callable[[], Project]) -> Project:
    """A project in which the main job is run."""
    return copy_project()


@pytest.fixture(scope="session")
def first(project: Project) -> Done:
    """The main job, from nothing."""
    return project.study()


@pytest.fixture
def later(project: Project, first: Done, tmp_path: Path) -> Project:
    """A copy of the project as it is after the main job, to go on with."""
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "project"
    shutil.copytree(project.folder, folder)
    return Project(folder, project.environment)
