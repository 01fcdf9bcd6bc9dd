"""A grid of networks from outside: readable ids, valid names for Kedro and DVC, no mix-ups."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from sakd.foundation.errors import UserError
from sakd.pipelines import evaluate, report, students, teacher
from sakd.project.dvc import dvc_yaml
from sakd.project.stages import Stages
from sakd.study.grid import Grid
from sakd.study.parameters import Parameters

PAIR = "torchvision:resnet18(small_images=true)/torchvision.models:mobilenet_v2"
SLUGS = "torchvision_resnet18_small_images_true-torchvision_models_mobilenet_v2"


def parameters() -> Parameters:
    return Parameters(grid=Grid(pairs=(PAIR, "resnet20/resnet8"), policies=("always",)))


def test_ids_hold_slugs_and_cells_the_full_names() -> None:
    first, second = parameters().grid.rows("digits")
    assert first.id == f"digits-{SLUGS}-s0"
    assert first.cells[1].id == f"digits-{SLUGS}-kd-always-s0"
    assert f"{first.cells[1].teacher}/{first.cells[1].student}" == PAIR
    assert second.cells[1].id == "digits-resnet20-resnet8-kd-always-s0"


def test_kedro_takes_the_names_of_every_node_and_dataset() -> None:
    parameters().grid.check()
    for stage in (teacher, students, evaluate, report):
        pipeline = stage.create_pipeline(parameters())
        for name in pipeline.datasets():
            assert re.fullmatch(r"(params:\w+\.)?([\w-]+\.)*[\w-]+|params:\w+", name)
    rows = students.create_pipeline(parameters())
    assert f"digits-{SLUGS}-s0-records" in rows.all_outputs()
    assert "digits-torchvision_resnet18_small_images_true-teacher" in rows.inputs()


def test_dvc_names_the_same_files() -> None:
    stages = yaml.safe_load(dvc_yaml(Stages(parameters())))["stages"]
    models = "data/06_models/digits/teachers"
    assert (
        f"{models}/torchvision_resnet18_small_images_true.safetensors" in stages["teacher"]["outs"]
    )
    row = stages["students"]["foreach"][f"digits-{SLUGS}-s0"]
    assert "-".join([row["teacher"], row["student"]]) == SLUGS


def test_dvc_depends_on_the_code_of_networks_within_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dvc_nets.py").write_text("def tiny(): ...\ndef small(): ...\n")
    monkeypatch.syspath_prepend(tmp_path)

    def dependencies(pair: str) -> tuple[bool, bool]:
        stages = yaml.safe_load(dvc_yaml(Stages(Parameters(grid=Grid(pairs=(pair,))))))["stages"]
        listed = stages["teacher"]["deps"], stages["students"]["do"]["deps"]
        return "dvc_nets.py" in listed[0], "dvc_nets.py" in listed[1]

    assert dependencies("resnet8/dvc_nets:tiny") == (False, False)
    monkeypatch.chdir(tmp_path)
    assert dependencies("resnet8/dvc_nets:tiny") == (False, True)
    assert dependencies("dvc_nets:tiny/resnet8") == (True, True)


@pytest.mark.parametrize(
    ("pair", "complaint"),
    [
        ("torchvision:resnet19/resnet8", "did you mean 'resnet18'"),
        ("resnet8/torchvision:resnet18(depth=1)", "cannot be made: TypeError"),
        ("torchvision:resnet18/torchvision:resnet18()", "would share the file name"),
    ],
)
def test_a_wrong_network_stops_at_the_door(pair: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Grid(pairs=(pair,)).check()
