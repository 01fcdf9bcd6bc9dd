"""A teacher from a file replaces one that is trained here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from sakd.data import ImageSet, Prepared, Splitting, prepare
from sakd.data.sources.raw import RawData
from sakd.foundation.errors import UserError
from sakd.networks import NETWORKS
from sakd.objectives.parameters import Distillation, Routing
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.project.dvc import dvc_yaml
from sakd.project.stages import Stages
from sakd.study.grid import Grid
from sakd.study.lessons import Lessons
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.recipe import Recipe
from sakd.study.store import CellStore
from sakd.study.trainings import cell_training
from sakd.weights.saved import Weights

PAIRS = {"grid": {"pairs": ["resnet14/resnet8", "resnet20/resnet8"]}}
HALVES = {"mean": [0.5], "std": [0.5]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "teacher.pth"
    torch.save({"model": NETWORKS["resnet14"](4, in_channels=1).state_dict()}, path)
    return path


@pytest.fixture
def lessons() -> Lessons:
    images = torch.randint(256, (80, 1, 8, 8), dtype=torch.uint8)
    raw = RawData(ImageSet(images, torch.arange(80) % 4), None, tuple("abcd"), "made up")
    splits = prepare(raw, Splitting(0.2, test_fraction=0.2), name="toy")
    card = replace(splits.card, asked=Parameters().data.asked, parts=splits.hashes())
    return Lessons(Prepared(splits.train, card))


def test_the_node_reads_the_file_and_trains_nothing(
    file: Path, lessons: Lessons, tmp_path: Path
) -> None:
    settings = parse_parameters(
        {**PAIRS, "teacher_weights": {"resnet14": str(file)}, "teacher_statistics": {}}
    )
    store = CellStore(tmp_path / "cells")
    weights = make_teacher(
        {"train": lessons.train.images.tensors},
        lessons.card.to_json(),
        store,
        settings.teacher_of("resnet14"),
        settings,
    )
    assert weights.card["imported_from"] == "teacher.pth"
    assert torch.equal(weights.state["head.bias"], torch.load(file)["model"]["head.bias"])
    assert not (tmp_path / "cells").exists()


def test_other_statistics_are_another_cell(lessons: Lessons) -> None:
    state = NETWORKS["resnet14"](4, in_channels=1).state_dict()
    cell = Grid(pairs=("resnet14/resnet8",)).rows("toy")[0].cells[1]

    def key(card: dict[str, object]) -> str:
        teacher = Weights(state, card)
        given = {"distillation": Distillation(), "routing": Routing()}
        return cell_training(cell, teacher, lessons, Recipe(), **given).key

    assert key({}) == key({"network": "resnet14"})
    assert key({}) != key({"statistics": HALVES})


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"teacher_weights": {"resnet56": "a.pth"}}, "teacher_weights names 'resnet56'"),
        ({"teacher_start": {"resnet8": "a.pth"}}, "teacher_start names 'resnet8'.* resnet14, res"),
        ({"student_weights": {"resnet14": "a.pth"}}, "student_weights names 'resnet14'.*resnet8"),
        (
            {"teacher_start": {"resnet14": "a"}, "teacher_weights": {"resnet14": "a"}},
            "resnet14 is in teacher_weights .* keep one",
        ),
        ({"teacher_statistics": {"resnet14": HALVES}}, "teacher_statistics names 'resnet14'.*none"),
        (
            {
                "teacher_weights": {"resnet14": "a.pth"},
                "teacher_statistics": {"resnet14": {"mean": [0.5], "std": [0]}},
            },
            "std above 0",
        ),
    ],
)
def test_wrong_parameters_are_refused_at_the_door(
    parameters: dict[str, object], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        parse_parameters(PAIRS | parameters)


def test_a_missing_file_is_named_before_anything_is_trained(file: Path, tmp_path: Path) -> None:
    parse_parameters(PAIRS | {"teacher_weights": {"resnet14": str(file)}}).check_files()
    missing = str(tmp_path / "no.pth")
    for name, network in (
        ("teacher_weights", "resnet14"),
        ("teacher_start", "resnet14"),
        ("student_weights", "resnet8"),
    ):
        parameters = parse_parameters(PAIRS | {name: {network: missing}})
        with pytest.raises(UserError, match=rf"{name}: .*no\.pth for {network}; correct"):
            parameters.check_files()


def test_dvc_depends_on_the_files_from_which_trainings_start() -> None:
    files = {"teacher_start": {"resnet14": "a.pth"}, "student_weights": {"resnet8": "b.pth"}}
    stages = yaml.safe_load(dvc_yaml(Stages(parse_parameters(PAIRS | files))))["stages"]
    teacher, students = stages["teacher"], stages["students"]["do"]
    assert {"a.pth", "b.pth"} & set(teacher["deps"]) == {"a.pth"}
    assert {"a.pth", "b.pth"} <= set(students["deps"])
    assert set(files) & set(teacher["params"][0]["conf/base/parameters.yml"]) == {"teacher_start"}
    assert set(files) <= set(students["params"][0]["conf/base/parameters.yml"])


def test_dvc_depends_on_the_file_and_expects_no_training_of_it() -> None:
    def stage(weights: dict[str, str]) -> dict[str, list[object]]:
        settings = parse_parameters(PAIRS | {"teacher_weights": weights})
        return yaml.safe_load(dvc_yaml(Stages(settings)))["stages"]["teacher"]

    one, both = stage({"resnet14": "a.pth"}), stage({"resnet14": "a.pth", "resnet20": "b.pth"})
    assert "a.pth" in one["deps"]
    assert any(isinstance(out, dict) for out in one["outs"])
    assert not any(isinstance(out, dict) for out in both["outs"])
    assert "teacher_weights" in one["params"][0]["conf/base/parameters.yml"]
