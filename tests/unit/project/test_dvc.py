"""dvc.yaml schedules the same rows as the Kedro pipelines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from kedro.framework.startup import bootstrap_project

from sakd.pipeline_registry import register_pipelines
from sakd.project.dvc import Stages, dvc_yaml
from sakd.project.parameters import active_parameters

PROJECT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    monkeypatch.setattr("sakd.project.parameters._active", None)
    bootstrap_project(PROJECT)


def test_the_committed_file_is_what_the_grid_gives() -> None:
    message = "dvc.yaml is out of date: run `make stages`"
    assert (PROJECT / "dvc.yaml").read_text() == dvc_yaml(active_parameters()), message


def test_every_command_names_a_pipeline_and_every_row_a_node() -> None:
    pipelines = register_pipelines()
    stages = yaml.safe_load(dvc_yaml(active_parameters()))["stages"]
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
        assert stage.get("do", stage)["cmd"].startswith(f"kedro run --pipelines {name}")
        assert name in pipelines


def test_no_two_stages_write_the_same_file() -> None:
    stages = Stages(active_parameters()).every()
    outs = [
        path
        for stage in stages.values()
        for out in [*stage.get("do", stage)["outs"], *stage.get("metrics", [])]
        for path in (out if isinstance(out, dict) else [out])
    ]
    assert len(outs) == len(set(outs))
    folders = [out for out in outs if "." not in out.rpartition("/")[2]]
    assert not [(a, b) for a in folders for b in outs if b != a and b.startswith(f"{a}/")]


def test_learning_rates_of_students_are_parameters_of_their_stages() -> None:
    parameters = replace(active_parameters(), student_lr={"resnet8": 0.01})
    (parameters,) = Stages(parameters).students()["do"]["params"][0].values()
    assert parameters[-1] == "student_lr"
