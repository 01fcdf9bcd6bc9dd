"""Outside of Kedro projects ``kedro run`` runs this one; in a project nothing is added."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from kedro.framework.cli import cli as kedro
from kedro.framework.cli.cli import KedroCLI

from sakd.project.outside import commands


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> KedroCLI:
    """Kedro's command line in an empty folder, with this package as its only plugin."""
    monkeypatch.setattr(kedro, "load_entry_points", lambda name: [commands][: name == "global"])
    monkeypatch.chdir(tmp_path)
    return KedroCLI(tmp_path)


def test_without_conf_source_it_is_one_line_with_the_folder_and_the_remedy(
    command_line: KedroCLI, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match="1"):
        command_line.main(["run", "--env", "smoke"])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"Error: {tmp_path} is in no Kedro project")
    assert "--conf-source" in line


def test_its_options_are_those_of_a_run_in_a_project(
    command_line: KedroCLI, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        command_line.main(["run", "--help"])
    shown = capsys.readouterr().out
    assert shown.startswith("Usage: kedro run [OPTIONS]")
    assert "--pipelines" in shown


@pytest.mark.parametrize(
    "context", [None, click.Context(commands, obj="what Kedro knows of the project")]
)
def test_the_commands_of_projects_are_not_hidden(context: click.Context | None) -> None:
    assert commands.list_commands(context) == []
    assert commands.get_command(context, "run") is None


def test_a_start_of_kedro_loads_nothing_slow_for_it() -> None:
    code = "import sys, sakd.project.outside; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "click" in loaded
    assert [name for name in ("kedro", "numpy", "torch", "pandas", "rich") if name in loaded] == []
