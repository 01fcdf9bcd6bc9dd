"""A student that its distiller rebuilds is trained, kept, evaluated and loaded as rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from itertools import product
from typing import Any

import pytest
import torch

from sakd.data import Prepared
from sakd.distillers import DISTILLERS
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.foundation.randomness import seeded
from sakd.foundation.vocabulary import DONE
from sakd.networks.rebuilt import ReusedClassifier
from sakd.networks.renormalised import OwnStatistics, Statistics
from sakd.objectives.parameters import Distillation, Routing
from sakd.routing import POLICIES
from sakd.study.bench import Bench
from sakd.study.evaluation import Evaluator
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.networks import fresh_network, trained_network
from sakd.study.parsing import parse_parameters
from sakd.study.recipe import Recipe
from sakd.study.store import Record
from sakd.study.train import run_training
from sakd.study.trainings import Training, cell_training
from sakd.tasks import CLASSIFICATION
from sakd.training.progress import Progress
from sakd.weights.saved import Weights, load_weights

Make = Callable[..., Training]
OTHERS = {"statistics": asdict(Statistics((0.3,), (0.4,)))}
REBUILDING = [name for name, kind in DISTILLERS.items() if kind.rebuilding]

Evaluate = Callable[[Cell, Record], Mapping[str, float]]


@pytest.mark.parametrize("method", list(product(REBUILDING, POLICIES)), ids="-".join)
def test_under_every_policy_the_trained_network_is_the_one_kept_and_evaluated(
    method: tuple[str, str],
    make_training: Make,
    make_cell: Callable[..., Cell],
    evaluate: Evaluate,
    bench: Bench,
    test: Prepared,
    progress: Progress,
) -> None:
    training, cell = make_training(*method), make_cell(*method)
    record = run_training(training, bench, progress)
    assert record.status == DONE, record.error
    kept = load_weights(bench.store.entry(training.group, training.id, training.key).last)
    built = training.build(None).network.state_dict()
    shapes = {name: value.shape for name, value in built.items()}
    assert {name: value.shape for name, value in kept.state.items()} == shapes
    again = trained_network(training.network, test.card, kept)

    def measured(network: Any, data: Prepared) -> float:
        return CLASSIFICATION.measures(network, data)["top1"]

    found = evaluate(cell, record)
    assert found["test_top1"] == measured(again, test)
    assert record.val_metric == measured(again, bench.val)


@pytest.mark.parametrize("teacher_card", [{}, OTHERS])
def test_its_name_brings_back_the_network_with_its_teachers_classifier(
    teacher_card: dict[str, object],
    make_training: Make,
    teacher: Weights,
    bench: Bench,
    test: Prepared,
    progress: Progress,
) -> None:
    training = make_training("simkd", weights=Weights(teacher.state, teacher_card))
    objective = training.build(None)
    assert isinstance(objective.teacher, OwnStatistics) == bool(teacher_card)
    run_training(training, bench, progress)
    kept = load_weights(bench.store.entry(training.group, training.id, training.key).last)
    name = Method.of("simkd").trained_name("resnet8", "resnet14")
    network = trained_network(name, test.card, kept)
    assert kept.card["network"] == name
    assert isinstance(network, ReusedClassifier)
    assert network.head.weight.shape == (len(test.card.classes), 64)
    for name in ("head.weight", "head.bias"):
        assert torch.equal(kept.state[name], teacher.state[name])


def test_networks_from_outside_come_back_too(
    lessons: Lessons, bench: Bench, test: Prepared, progress: Progress
) -> None:
    outside = "torchvision:shufflenet_v2_x0_5"
    cell = Cell("toys", "resnet14", outside, "simkd", "always", 0)
    for taught in (cell, replace(cell, teacher=outside, student="resnet8")):
        with seeded(0):
            teacher = Weights(fresh_network(taught.teacher, lessons.card).state_dict())
        training = cell_training(
            taught,
            teacher,
            replace(lessons, per_class=4),
            Recipe(epochs=1, batch_size=8, keep_epochs=0),
            distillation=Distillation(),
            routing=Routing(),
        )
        record = run_training(training, bench, progress)
        assert record.status == DONE, record.error
        found = (
            Evaluator(bench.store, test, bench.val, bench.device)
            .cell(taught, record, teacher)
            .measures
        )
        assert found["test_top1"] == found["test_top1_best"]


def test_other_students_keep_their_name(make_training: Make) -> None:
    names = {make_training(name).network for name in DISTILLERS if name not in REBUILDING}
    assert names | {make_training("none", "none").network} == {"resnet8"}


def test_the_student_starts_as_it_does_under_other_distillers(make_training: Make) -> None:
    built = (make_training(name).build(None) for name in ("simkd", "kd"))
    ours, others = (objective.network.state_dict() for objective in built)
    shared = [name for name in ours if name.startswith(("stem", "stage"))]
    assert len(shared) > 10
    assert all(torch.equal(ours[name], others[name]) for name in shared)


def test_a_teacher_in_training_is_refused_at_the_door() -> None:
    given = {"grid": {"distillers": ["kd", "simkd"]}, "distillation": {"objective": "joint"}}
    with pytest.raises(UserError, match=r"joint: 'simkd' .*leave one out"):
        parse_parameters(given)
