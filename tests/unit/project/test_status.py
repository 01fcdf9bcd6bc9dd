"""``sakd status`` tells of any environment what is done, also before its data are there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sakd.command.main import main
from sakd.foundation.determinism import WORKSPACE, is_deterministic

Capture = pytest.CaptureFixture[str]

STARTED = "from sakd.command.main import main; raise SystemExit(main())"

pytestmark = pytest.mark.usefixtures("bare")


def test_the_study_is_that_of_environment_and_parameters(capsys: Capture, tmp_path: Path) -> None:
    options = ["--env", "smoke", "--params", "grid.seeds=0+1,grid.distillers=kd"]
    assert main(["status", *options, "--json"]) == 0, capsys.readouterr().err
    found = json.loads(capsys.readouterr().out)
    assert (found["data"], found["rows"], found["cells"], found["missing"]) == ("digits", 2, 6, 6)
    assert main(["status", *options]) == 0
    assert "digits: 6 cells: 0 done" in capsys.readouterr().out
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("usual_operations")
def test_it_needs_nothing_of_what_makes_a_run_deterministic(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WORKSPACE, ":0:0")  # with which a run is refused
    assert main(["status", "--params", "deterministic=true"]) == 0, capsys.readouterr().err
    assert is_deterministic()
    assert main(["watch", "--data", "."]) == 0


def test_a_wrong_value_is_one_line(capsys: Capture) -> None:
    assert main(["status", "--params", "student.epoch=1"]) == 1
    assert "unknown parameter 'student.epoch'" in capsys.readouterr().err


def test_its_json_stands_alone_also_in_a_folder_outside_of_the_project(
    tmp_path: Path, root: Path
) -> None:
    (empty := tmp_path / "elsewhere" / "empty").mkdir(parents=True)
    options = ["--conf-source", str(root / "conf"), "--env", "smoke", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", STARTED, "status", *options],
        cwd=empty,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["data"] == "digits"


@pytest.mark.parametrize("command", ["status", "plan"])
def test_which_cells_of_a_store_are_meant_is_known_once_images_are_prepared(
    command: str, capsys: Capture
) -> None:
    assert main([command, "--env", "smoke", "--store", "s3://bucket/folder"]) == 1
    assert "digits is not prepared here, " in (told := capsys.readouterr().err)
    assert "run --pipelines data_preparation" in told
