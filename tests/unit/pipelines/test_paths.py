"""A path of teachers goes through all stages; several teachers are measured as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from kedro.pipeline import Pipeline

from sakd.data import Parts, Splits
from sakd.foundation.errors import UserError
from sakd.networks.ensemble import members_of
from sakd.networks.paths import in_order, needed
from sakd.networks.variants import slug
from sakd.pipelines import evaluate, report, students, teacher
from sakd.pipelines.evaluate.nodes import measure_students, measure_teacher
from sakd.pipelines.plan import Scope, make_plan
from sakd.pipelines.report.nodes import tabulate
from sakd.pipelines.students.nodes import train_row
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.project.stages import Stages
from sakd.study.networks import trained_network
from sakd.study.pace import Pace, Timer
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.recorder import Recorder
from sakd.study.store import CellStore
from sakd.weights.saved import Weights

PATH, SEVERAL = "resnet20/resnet14", "resnet20//resnet14"
BRIEF = {"epochs": 2, "keep_epochs": 0, "batch_size": 36, "checkpoint_seconds": 0}
STUDY: dict[str, Any] = {
    "device": "cpu",
    "grid": {"pairs": f"{PATH}/resnet8", "distillers": "kd", "policies": "always"},
    "teacher": BRIEF,
    "student": BRIEF,
}


class Study:
    """A study in a folder, stage by stage."""

    def __init__(self, splits: Splits, folder: Path, parameters: Parameters) -> None:
        self.splits = replace(splits, card=replace(splits.card, name="digits"))
        self.card = replace(self.splits.card, asked=parameters.data.asked).to_json()
        self.store = CellStore(folder)
        self.development: Parts = {"train": splits.train.tensors, "val": splits.val.tensors}
        self.images: tuple[Any, ...] = (
            {"test": splits.test.tensors},
            *(self.development, self.card, self.store),
        )
        self.parameters = parameters
        self.made: dict[str, Weights] = {}

    def teach(self, name: str) -> Weights:
        above = [self.made[other] for other in needed(name)]
        given = self.development, self.card, self.store, self.parameters.teacher_of(name)
        self.made[name] = make_teacher(*given, self.parameters, *above)
        return self.made[name]

    def train(self) -> dict[str, Any]:
        (row,) = self.parameters.grid.rows("digits")
        given = self.development, self.card, self.store
        return train_row(*given, row, self.parameters, self.made[row.teacher])

    def measure(self, name: str) -> dict[str, Any]:
        teacher = self.parameters.teacher_of(name)
        return measure_teacher(*self.images, self.made[name], teacher, self.parameters)


@pytest.fixture
def made(splits: Splits, tmp_path: Path) -> Study:
    return Study(splits, tmp_path / "cells", parse_parameters(STUDY))


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Timer, "pace", lambda *_: Pace(1.0))


def planned(study: Study) -> Iterator[tuple[str, int, int]]:
    rows, teachers = study.parameters.grid.rows("digits"), study.parameters.grid.teachers()
    scope = Scope(study.development, study.card, study.parameters, rows, teachers)
    plan = make_plan([scope], study.store, 0)
    return ((line.name, line.total, line.done) for line in (*plan.teachers, *plan.pairs))


@pytest.mark.usefixtures("timed")
def test_an_assistant_is_taught_teaches_is_measured_and_reported(made: Study) -> None:
    names = ["teacher resnet20", f"teacher {PATH}", f"{PATH}/resnet8"]
    counts = [1, 1, 2]
    assert list(planned(made)) == list(zip(names, counts, [0, 0, 0], strict=True))
    teachers = made.parameters.grid.teachers()
    assert teachers == ("resnet20", PATH)
    weights = [made.teach(name) for name in teachers]
    records = made.train()
    assert list(planned(made)) == list(zip(names, counts, counts, strict=True))
    facts = weights[1].card["facts"]
    assert (facts["distiller"], facts["policy"]) == ("kd", "always")
    assert facts["teacher_weights"] == weights[0].sha256()
    assert weights[1].card["network"] == "resnet14"
    evaluation, _, predictions = measure_students(*made.images, made.parameters, *weights, records)
    measured = [made.measure(name) for name in teachers]
    results = tabulate(made.parameters, made.card, evaluation, predictions, *measured)
    assert set(results["teacher"]) == {PATH}
    assert set(results["teacher_test_top1"]) == {measured[1]["test_top1"]}
    assert list(results["cell"])[1] == "digits-resnet20_to_resnet14-resnet8-kd-always-s0"


class KilledError(BaseException):
    """Ends a run as a kill would."""


def test_a_chain_that_is_killed_resumes_with_the_same_bits(
    made: Study, splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Study(splits, tmp_path / "whole", made.parameters)
    for name in whole.parameters.grid.teachers():
        whole.teach(name)
    expected = whole.train()
    checkpoint = Recorder.checkpoint

    def killed(recorder: Recorder, run: Any) -> None:
        checkpoint(recorder, run)
        raise KilledError

    made.teach("resnet20")
    for stage in (lambda: made.teach(PATH), made.train):
        with monkeypatch.context() as patched:
            patched.setattr(Recorder, "checkpoint", killed)
            with pytest.raises(KilledError):
                stage()
        found: Any = stage()
    for name, weights in whole.made.items():
        assert made.made[name].sha256() == weights.sha256()
        assert made.made[name].card["key"] == weights.card["key"]
    for cell, record in expected.items():
        assert found[cell]["key"] == record["key"]
        assert found[cell]["val_metric"] == record["val_metric"]


def test_a_chain_depends_on_the_parameters_of_all_its_teachers(made: Study) -> None:
    for name in made.parameters.grid.teachers():
        made.teach(name)
    changes: list[dict[str, Any]] = [
        {"teacher_seed": 1},
        {"assistants": {"distiller": "at"}},
        {"distillation": {"weights": {"kd": 0.5}}},
    ]
    for change in changes:
        made.parameters = parse_parameters({**STUDY, **change})
        with pytest.raises(UserError, match=f"{PATH} .*run --pipelines teacher"):
            made.train()
    made.parameters = parse_parameters({**STUDY, "teacher_seed": 1})
    with pytest.raises(UserError, match=r"resnet20 .*run --pipelines teacher"):
        made.teach(PATH)


def test_several_teachers_answer_with_the_mean_of_their_probabilities(made: Study) -> None:
    for name in in_order(SEVERAL):
        made.teach(name)
    card, together = made.splits.card, made.made[SEVERAL]
    assert together.card["network"] == "resnet20&resnet14"
    images = torch.rand(5, *card.image_shape, generator=torch.Generator().manual_seed(0))
    network = trained_network("resnet20&resnet14", card, together).eval()
    parts = [
        trained_network(str(made.made[name].card["network"]), card, made.made[name]).eval()
        for name in needed(SEVERAL)
    ]
    expected = torch.stack([part(images).softmax(dim=1) for part in parts]).mean(dim=0)
    torch.testing.assert_close(network(images).exp(), expected)
    for member, part in zip(members_of(network), parts, strict=True):
        assert torch.equal(member(images), part(images))
    measured = {name: made.measure(name) for name in made.made}
    sizes = [measured[name]["parameters"] for name in needed(SEVERAL)]
    assert measured[SEVERAL]["parameters"] == sum(sizes)


def test_a_dense_path_is_learnt_by_the_system_for_several_teachers(
    splits: Splits, tmp_path: Path
) -> None:
    grid = {"pairs": "resnet20//resnet14@brief//resnet14/resnet8", "systems": "dgkd"}
    raw = {**STUDY, "grid": {**grid, "distillers": [], "policies": "always"}}
    parameters = parse_parameters({**raw, "teacher_variants": {"brief": BRIEF}})
    made = Study(splits, tmp_path / "cells", parameters)
    teachers = parameters.grid.teachers()
    assert [name.count("//") for name in teachers] == [0, 0, 1, 1, 2]
    weights = [made.teach(name) for name in teachers]
    facts = weights[3].card["facts"]
    assert (facts["distiller"], facts["settings"]["drop"]) == ("dgkd", 0)
    assert facts["teacher_weights"] == weights[2].sha256()
    alone, taught = made.train().values()
    assert (alone["status"], taught["status"]) == ("done", "done")
    assert taught["facts"]["teacher_weights"] == weights[4].sha256()
    assert taught["facts"]["settings"]["drop"] == 1


def test_states_of_a_training_teach_one_after_the_other(splits: Splits, tmp_path: Path) -> None:
    teachers = "resnet14@1&resnet14"
    grid = {"pairs": "resnet14/resnet8", "distillers": "kd", "policies": "always"}
    plain = Study(splits, tmp_path / "cells", parse_parameters({**STUDY, "grid": grid}))
    earlier = plain.teach("resnet14")
    grid |= {"pairs": f"{teachers}/resnet8", "systems": "rco", "distillers": []}
    made = Study(splits, tmp_path / "cells", parse_parameters({**STUDY, "grid": grid}))
    assert made.parameters.grid.teachers() == ("resnet14", "resnet14@1", teachers)
    made.made = {"resnet14": earlier}
    with pytest.raises(UserError, match="resnet14@1 are gone: run again"):
        made.teach("resnet14@1")
    weights = [made.teach(name) for name in made.parameters.grid.teachers()]
    assert weights[0].sha256() == earlier.sha256()
    assert weights[0].card["key"] == earlier.card["key"]
    assert weights[1].card["epoch"] == 1
    assert weights[1].sha256() != earlier.sha256()
    _, taught = made.train().values()
    assert taught["status"] == "done"
    entry = made.store.entry(
        "digits-resnet14_1_and_resnet14-resnet8-s0", taught["id"], taught["key"]
    )
    assert [record["turn_of_teacher"] for record in entry.history()] == [1, 2]


def test_every_teacher_has_a_node_after_those_that_it_needs() -> None:
    pairs = "resnet56/resnet20/resnet8+resnet56/resnet20/resnet14/resnet8"
    parameters = parse_parameters({**STUDY, "grid": {"pairs": pairs}})
    stages = (teacher, students, evaluate, report)
    pipeline = sum((stage.create_pipeline(parameters) for stage in stages), Pipeline([]))
    order = [node.name for node in pipeline.nodes]
    for name in parameters.grid.teachers():
        (node,) = (n for n in pipeline.nodes if n.name == f"teacher.{slug(name)}")
        above = {f"digits-{slug(other)}-teacher" for other in needed(name)}
        assert above == {given for given in node.inputs if given.endswith("-teacher")}
        for other in needed(name):
            assert order.index(f"teacher.{slug(other)}") < order.index(node.name)
    path = "resnet56_to_resnet20_to_resnet14"
    (row,) = (n for n in pipeline.nodes if n.name == f"students.{path}-resnet8.seed_0")
    assert f"digits-{path}-teacher" in row.inputs
    assert f"data/06_models/digits/teachers/{path}.safetensors" in Stages(parameters).weights
    assert "/" not in "".join(order)
