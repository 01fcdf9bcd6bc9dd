"""dvc.yaml schedules the same rows as the Kedro pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from sakd.pipeline_registry import register_pipelines
from sakd.project.dvc import dvc_yaml, main
from sakd.project.parameters import activate, loader_of, read_parameters
from sakd.project.stages import Stages
from sakd.study.parameters import Parameters

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("below", [".", "src/sakd"])
def test_the_committed_file_is_what_the_grid_gives(
    below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT / below)
    monkeypatch.setenv("KEDRO_ENV", "smoke")
    written = CliRunner().invoke(main, catch_exceptions=False).output
    assert (ROOT / "dvc.yaml").read_text() == written, "dvc.yaml is out of date: run `make stages`"


def test_the_stages_of_another_environment_run_in_it_and_depend_on_its_files() -> None:
    written = CliRunner().invoke(main, ["--env", "smoke"], catch_exceptions=False).output
    stages = yaml.safe_load(written)["stages"]
    stages["students"] = stages["students"]["do"]
    for stage in stages.values():
        assert "kedro run --env smoke --pipelines" in stage["cmd"]
        assert all(out.startswith("data/smoke/") for out in outs(stage))
    files = {file: keys for part in stages["teacher"]["params"] for file, keys in part.items()}
    assert files["conf/smoke/parameters.yml"] == ["device", "teacher"]
    base = ["device", "threads", "teacher", "teacher_variants"]
    assert files["conf/base/parameters.yml"] == base


def test_an_unknown_environment_is_reported_in_one_line() -> None:
    result = CliRunner().invoke(main, ["--env", "smok"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: unknown environment 'smok'; did you mean 'smoke'")
    assert result.output.count("\n") == 1


def outs(stage: dict[str, Any]) -> list[str]:
    """The paths that a stage writes."""
    named = [*stage["outs"], *stage.get("metrics", [])]
    return [path for out in named for path in (out if isinstance(out, dict) else [out])]


def parameters_of_base() -> Parameters:
    return read_parameters(loader_of(ROOT, "base"), ROOT)


@pytest.fixture(params=["shared", "per_seed"])
def parameters(request: pytest.FixtureRequest) -> Iterator[Parameters]:
    """The study of ``conf/base``, with one split and with a split for every seed."""
    base = parameters_of_base()
    made = replace(base, data=replace(base.data, splits=request.param))
    activate(made)
    yield made
    activate(None)


def test_every_command_names_a_pipeline_and_every_row_a_node(parameters: Parameters) -> None:
    pipelines = register_pipelines()
    stages = yaml.safe_load(dvc_yaml(Stages(parameters)))["stages"]
    rows = stages["students"]["foreach"]
    command = stages["students"]["do"]["cmd"].split(" --nodes ")[1]
    nodes = set()
    for row in rows.values():
        name = command
        for key, value in row.items():
            name = name.replace("${item." + key + "}", str(value))
        nodes.add(name)
    assert nodes == {node.name for node in pipelines["students"].nodes}
    for name, stage in stages.items():
        assert stage.get("do", stage)["cmd"].startswith(f"kedro run --env base --pipelines {name}")
        assert name in pipelines


def test_no_two_stages_write_the_same_file(parameters: Parameters) -> None:
    stages = Stages(parameters).every()
    written = [path for stage in stages.values() for path in outs(stage.get("do", stage))]
    assert len(written) == len(set(written))
    folders = [out for out in written if "." not in out.rpartition("/")[2]]
    assert not [(a, b) for a in folders for b in written if b != a and b.startswith(f"{a}/")]


def test_what_the_stages_of_a_split_read_is_written_by_others(parameters: Parameters) -> None:
    stages = Stages(parameters).every()
    students = stages.pop("students")
    written = {path for stage in stages.values() for path in outs(stage)}
    for item in students["foreach"].values():
        read, made = students["do"]["deps"], outs(students["do"])
        for key, value in item.items():
            read, made = (
                [path.replace("${item." + key + "}", str(value)) for path in paths]
                for paths in (read, made)
            )
        assert {path for path in read if path.startswith("data/")} <= written
        assert set(made) <= set(stages["evaluate"]["deps"])


def test_learning_rates_of_students_are_parameters_of_their_stages() -> None:
    parameters = replace(parameters_of_base(), student_lr={"resnet8": 0.01})
    (parameters,) = Stages(parameters).students()["do"]["params"][0].values()
    assert parameters[-1] == "student_lr"
