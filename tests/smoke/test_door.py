"""The door: what is wrong stops before anything is done; start-up leaves no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PIPELINES = ["data_preparation", "teacher", "students", "evaluate", "report", "distill"]

# Python imports a module of this name by itself, in every process.
WIRETAP = """
import os
import socket

def tapped(name):
    def call(*arguments, **options):
        with open(os.environ["WIRETAP"], "a") as notes:
            notes.write(f"{name} {arguments}\\n")
        raise OSError("the network is off")
    return call

for name in ("create_connection", "getaddrinfo", "gethostbyname"):
    setattr(socket, name, tapped(name))
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, tapped(name))
"""


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


@pytest.mark.parametrize(
    ("typo", "told"),
    [
        (("--params", "grd.seeds=0"), "parameter 'grd'; did you mean 'grid'? known: device, "),
        (("--pipelines", "studnts"), "pipeline 'studnts'; did you mean 'students'? known: "),
    ],
)
def test_a_typo_is_told_in_one_line_and_nothing_is_written(
    fresh: Any, typo: tuple[str, str], told: str
) -> None:
    before = fresh.files()
    done = fresh.kedro("run", *typo)
    assert done.returncode == 1
    message = done.stderr.strip()
    assert "\n" not in message
    assert message.startswith(f"Error: unknown {told}")
    assert done.stdout.strip() == ""
    assert fresh.files() == before
