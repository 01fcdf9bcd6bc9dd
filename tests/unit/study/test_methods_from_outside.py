"""Distillers and policies of other packages are trained like those of the tables."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE
from sakd.objectives import DataFacts, distil
from sakd.objectives.parameters import Distillation
from sakd.study.bench import Bench
from sakd.study.lessons import Lessons
from sakd.study.parsing import parse_parameters
from sakd.study.train import run_training
from sakd.study.trainings import Training, cell_training
from sakd.training.progress import Progress
from sakd.weights.saved import Weights

CODE = '''
import torch
from sakd.distillers.base import Distiller, mean_over_batch
from sakd.networks.spots import SpotFamily
from sakd.routing.base import Route, RoutingPolicy


class Naive(Distiller):
    """Match embeddings."""

    family = SpotFamily.EMBEDDING
    weight = 0.5

    def __init__(self, pair, *, power: int = 2):
        super().__init__(pair)
        self.power = power

    def loss(self, spot, student, teacher, batch, chosen):
        return mean_over_batch((student - teacher).abs().pow(self.power).mean(dim=1), chosen)


class FirstHalf(RoutingPolicy):
    """Distil the first half of the batch."""

    def forward(self, scene):
        first = torch.arange(len(scene), device=scene.device) < len(scene) // 2
        return Route(self.everywhere(first))
'''
NAIVE, HALF = "method_pack.methods:Naive", "method_pack.methods:FirstHalf"
GRID = {"pairs": ["resnet14/resnet8"], "distillers": [NAIVE, f"at-{NAIVE}"], "policies": [HALF]}

Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a package of another author, as if a new run had found it there."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(code: str) -> None:
        (tmp_path / "method_pack").mkdir(exist_ok=True)
        (tmp_path / "method_pack" / "methods.py").write_text(code)
        for name in ("method_pack.methods", "method_pack"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()

    put(CODE)
    yield put
    for name in ("method_pack.methods", "method_pack"):
        sys.modules.pop(name, None)


@pytest.fixture
def trainings(lessons: Lessons, teacher: Weights) -> Callable[..., list[Training]]:
    """Make the trainings of a grid."""

    def make(**parameters: Any) -> list[Training]:
        parsed = parse_parameters({"grid": {**GRID, "baseline": False}, **parameters})
        how = {"distillation": parsed.distillation, "routing": parsed.routing}
        recipe = replace(parsed.student, epochs=1, batch_size=8, keep_epochs=0)
        cells = [cell for row in parsed.grid.rows("toys") for cell in row.cells]
        return [cell_training(cell, teacher, lessons, recipe, **how) for cell in cells]

    return make


@pytest.mark.usefixtures("write")
def test_they_are_trained_and_named_readably(
    trainings: Callable[..., list[Training]], bench: Bench
) -> None:
    alone, together = (run_training(t, bench, Progress("toys", 1)) for t in trainings())
    assert [alone.status, together.status] == [DONE, DONE], (alone.error, together.error)
    slug, half = "method_pack_methods_Naive", "method_pack_methods_FirstHalf"
    assert alone.id == f"toys-resnet14-resnet8-{slug}-{half}-s0"
    (history,) = bench.store.entry("toys-resnet14-resnet8-s0", alone.id, alone.key).history()
    assert history["gate_rate/logits"] == 0.5
    assert {slug, "kd"} <= history.keys()


def test_their_code_and_options_are_part_of_the_key(
    write: Write, trainings: Callable[..., list[Training]]
) -> None:
    keys = [training.key for training in trainings()]
    write(CODE.replace("Match embeddings.", "Match the embeddings of both."))
    assert [training.key for training in trainings()] == keys
    options = {"distillation": {"options": {NAIVE: {"power": 1}}}}
    assert not set(keys) & {training.key for training in trainings(**options)}
    write(CODE.replace(".abs()", ".abs().sqrt()"))
    assert not set(keys) & {training.key for training in trainings()}


@pytest.mark.usefixtures("write")
@pytest.mark.parametrize(
    ("grid", "complaint"),
    [
        ({"distillers": ["method_pack.methods:Naif"]}, "'Naif'; did you mean 'Naive'"),
        ({"distillers": [HALF]}, "FirstHalf is no distiller.*Distiller"),
        ({"policies": ["method_pack.nowhere:X"]}, "method_pack.nowhere.*PYTHONPATH"),
        ({"policies": [NAIVE]}, "Naive is no policy.*RoutingPolicy"),
    ],
)
def test_names_of_another_kind_are_refused_at_the_door(
    grid: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        parse_parameters({"grid": {**GRID, **grid}})


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [("power=2", None), ("power: int | None = 2", "takes int, got 0.5")],
)
def test_options_may_have_any_type_or_none(write: Write, declared: str, wrong: str | None) -> None:
    write(CODE.replace("power: int = 2", declared))
    Distillation(options={NAIVE: {"power": 1}}).check()
    if wrong is not None:
        with pytest.raises(UserError, match=re.escape(wrong)):
            Distillation(options={NAIVE: {"power": 0.5}}).check()


def test_types_that_cannot_be_read_are_named(write: Write) -> None:
    write("from __future__ import annotations" + CODE.replace("power: int", "power: Hidden"))
    with pytest.raises(UserError, match=r"Naive.*'Hidden'.*run time"):
        Distillation(options={NAIVE: {"power": 1}}).check()


@pytest.mark.usefixtures("write")
def test_the_library_takes_classes_as_well_as_names(small_network: Callable[..., Any]) -> None:
    module = importlib.import_module("method_pack.methods")
    facts = DataFacts((3, 8, 8), torch.arange(5))
    networks = small_network(0), small_network(1)
    objective = distil(*networks, module.Naive, module.FirstHalf, facts)
    weights = Distillation().weights_of(Method.of(module.Naive))
    assert weights == {"kd": 1.0, NAIVE: 0.5}
    assert isinstance(objective.router.policy, module.FirstHalf)
    assert isinstance(objective.distillers["method_pack_methods_Naive"], module.Naive)
