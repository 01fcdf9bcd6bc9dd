"""Wrong commands stop before anything is done; start-up leaves no trace and sends nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Done = subprocess.CompletedProcess[str]

ROOT = Path(__file__).parents[2]
PIPELINES = ["data_preparation", "teacher", "students", "evaluate", "report", "distill"]

# Python imports a module of this name by itself, in every process.
WIRETAP = """
import os
import socket

def tapped(name, original=None):
    def call(*arguments, **options):
        if original is not None and arguments[0].family == socket.AF_UNIX:
            return original(*arguments, **options)  # between processes of this machine
        with open(os.environ["WIRETAP"], "a") as notes:
            notes.write(f"{name} {arguments}\\n")
        raise OSError("the network is off")
    return call

for name in ("create_connection", "getaddrinfo", "gethostbyname"):
    setattr(socket, name, tapped(name))
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, tapped(name, getattr(socket.socket, name)))
"""


OTHER = {
    "pyproject.toml": """
[tool.kedro]
package_name = "other"
project_name = "other"
kedro_init_version = "1.7.0"
""",
    "conf/base/catalog.yml": "{}",
    "conf/local/catalog.yml": "{}",
    "src/other/__init__.py": "",
    "src/other/settings.py": "",
    "src/other/pipeline_registry.py": """
from kedro.pipeline import node, pipeline

def register_pipelines():
    return {"__default__": pipeline([node(lambda: print("its own node") or 1, None, "done")])}
""",
}
"""The files of another project of Kedro."""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where attempts to reach the network are written down."""
    return tmp_path / "notes.txt"


@pytest.fixture
def offline(environment: dict[str, str], tmp_path: Path, notes: Path) -> dict[str, str]:
    """No network, a home of its own, and no word in the environment about tracking."""
    (tmp_path / "tap").mkdir()
    (tmp_path / "tap" / "sitecustomize.py").write_text(WIRETAP)
    (tmp_path / "home").mkdir()
    home = str(tmp_path / "home")
    kept = {
        name: value
        for name, value in environment.items()
        if name not in ("DO_NOT_TRACK", "KEDRO_DISABLE_TELEMETRY") and not name.startswith("XDG_")
    }
    places = {"HOME": home, "WIRETAP": str(notes), "PYTHONPATH": str(tmp_path / "tap")}
    return kept | places


def test_the_wiretap_hears_a_connection(fresh: Any, offline: dict[str, str], notes: Path) -> None:
    code = "import urllib.request; urllib.request.urlopen('http://192.0.2.1')"
    assert fresh.python("-c", code, environment=offline).returncode != 0
    assert "192.0.2.1" in notes.read_text()


def test_listing_the_pipelines_reaches_for_no_network_and_touches_no_file(
    fresh: Any, offline: dict[str, str], notes: Path, tmp_path: Path
) -> None:
    before = fresh.files()
    done = fresh.kedro("registry", "list", environment=offline)
    assert done.returncode == 0, done.stderr
    for name in PIPELINES:
        assert f"- {name}\n" in done.stdout
    assert not notes.exists(), notes.read_text()
    assert fresh.files() == before
    assert list((tmp_path / "home").rglob("*")) == []


def test_a_typo_is_reported_in_one_line_and_nothing_is_written(fresh: Any) -> None:
    before = fresh.files()
    done = fresh.kedro("run", "--pipelines", "studnts")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: unknown pipeline 'studnts'; did you mean 'students'?")
    assert done.stderr.count("\n") == 1
    assert done.stdout.strip() == ""
    assert fresh.files() == before


@pytest.fixture(scope="module")
def site(copy_project: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package from a wheel, in a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder))
    done = copy_project().python("-m", "pip", "wheel", ".", *options)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("sakd-*.whl")
    shutil.unpack_archive(wheel, folder / "site", "zip")
    return folder / "site"


class TestAWheel:
    """The package alone, as somebody else installs it."""

    @pytest.fixture
    def run(self, site: Path, offline: dict[str, str], tmp_path: Path) -> Callable[..., Done]:
        """Run a module in an empty folder."""
        (tmp_path / "empty").mkdir()
        path = f"{site}{os.pathsep}{offline['PYTHONPATH']}"

        def execute(command: str, *arguments: str, cwd: str = "empty") -> Done:
            return subprocess.run(
                [sys.executable, "-m", *command.split(), *arguments],
                cwd=tmp_path / cwd,
                env=offline | {"PYTHONPATH": path},
                capture_output=True,
                text=True,
                timeout=1200,
                check=False,
            )

        return execute

    @pytest.mark.parametrize(
        ("command", "complaint"),
        [("sakd", "there is no folder {}/conf: "), ("kedro run", "{} is in no Kedro project")],
    )
    def test_without_conf_it_ends_in_one_line_with_what_to_do(
        self, command: str, complaint: str, run: Callable[..., Done], tmp_path: Path
    ) -> None:
        done = run(command)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert complaint.format(tmp_path / "empty") in done.stderr
        assert "--conf-source" in done.stderr
        assert list((tmp_path / "empty").iterdir()) == []

    @pytest.mark.parametrize(
        ("command", "runner", "left"),
        [
            ("sakd", "SequentialRunner", set()),
            ("kedro run", "ParallelRunner", {"telemetry.toml"}),  # Kedro writes it at any start
        ],
    )
    def test_it_runs_with_a_conf_from_elsewhere_and_sends_no_usage_data(
        self,
        command: str,
        runner: str,
        left: set[str],
        run: Callable[..., Done],
        notes: Path,
        tmp_path: Path,
    ) -> None:
        chosen = "--env", "smoke", "--pipelines", "data_preparation", "--runner", runner
        done = run(command, "--conf-source", str(ROOT / "conf"), *chosen)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "empty/data/smoke/03_primary/digits/card.json").exists()
        assert not notes.exists(), notes.read_text()
        assert {path.name for path in (tmp_path / "home").rglob("telemetry*")} <= left

    def test_another_project_keeps_its_own_run(
        self, run: Callable[..., Done], tmp_path: Path
    ) -> None:
        for name, content in OTHER.items():
            (file := tmp_path / "other" / name).parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        done = run("kedro run", cwd="other")
        assert (done.returncode, "its own node" in done.stdout) == (0, True), done.stderr
