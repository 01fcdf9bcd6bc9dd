"""Teachers that know some of the classes: what they learn, how they are measured, who asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sakd.data import DataCard, ImageSet, Prepared, RawData, Splits, Splitting, prepare
from sakd.foundation.vocabulary import DONE
from sakd.networks.ensemble import members_of, parts_of
from sakd.objectives import Distillation, Routing
from sakd.pipelines.inputs import teacher_start
from sakd.pipelines.keys import own_training, teacher_settings
from sakd.study.bench import Bench
from sakd.study.classes import description
from sakd.study.evaluation import Evaluator
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.networks import described_network, fresh_network, joined, trained_network
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.recipe import Recipe
from sakd.study.store import CellStore
from sakd.study.train import run_training
from sakd.study.trainings import Training, cell_training
from sakd.training.progress import Progress
from sakd.weights.saved import Weights, load_weights, save_weights
from unit.study.beasts import CLASSES, PAIR, STUDY, VARIANTS


@pytest.fixture(scope="module")
def splits() -> Splits:
    """16 images of each of five classes."""
    source = torch.Generator().manual_seed(3)
    labels = torch.arange(len(CLASSES)).repeat(16)
    images = torch.randint(256, (len(labels), 1, 8, 8), dtype=torch.uint8, generator=source)
    raw = RawData(ImageSet(images, labels), None, CLASSES, "made for the test")
    return prepare(raw, Splitting(0.25, test_fraction=0.25), name="beasts")


@pytest.fixture(scope="module")
def lessons(splits: Splits) -> Lessons:
    return Lessons(Prepared(splits.train, splits.card))


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return parse_parameters(STUDY)


@pytest.fixture
def bench(splits: Splits, tmp_path: Path) -> Bench:
    val = Prepared(splits.val, splits.card)
    return Bench(val, CellStore(tmp_path / "cells"), torch.device("cpu"))


def training_of(parameters: Parameters, lessons: Lessons, name: str = "resnet8@one") -> Training:
    return own_training(parameters.teacher_of(name), lessons)


def run(training: Training, bench: Bench) -> Weights:
    record = run_training(training, bench, Progress("beasts", 1))
    assert record.status == DONE, record.error
    return load_weights(bench.entry(training).last)


@pytest.fixture
def teachers(parameters: Parameters, lessons: Lessons, bench: Bench) -> list[Weights]:
    """Both teachers, trained."""
    names = parameters.teacher_of(PAIR.rpartition("/")[0]).members
    return [run(own_training(member, lessons), bench) for member in names]


def test_a_teacher_learns_its_classes_alone_from_zero(
    parameters: Parameters, lessons: Lessons
) -> None:
    one, other = (training_of(parameters, lessons, f"resnet8@{n}") for n in ("one", "other"))
    assert (one.classes, other.classes) == (("ant", "cat", "eel"), ("bee", "dog"))
    assert sorted(set(one.images.labels.tolist())) == [0, 1, 2]
    assert len(one.images) + len(other.images) == len(lessons.images)
    assert not set(one.images.digests()) & set(other.images.digests())
    assert len(one.build(None).network.state_dict()["head.bias"]) == 3


def test_the_classes_count_in_the_key_however_they_are_named(lessons: Lessons) -> None:
    def key(*classes: str) -> str:
        variants = {**VARIANTS, "one": {"classes": list(classes)}}
        return training_of(parse_parameters({**STUDY, "teacher_variants": variants}), lessons).key

    assert key("ant", "cat..eel") == key("eel", "dog", "cat", "ant")
    assert len({key("ant", "bee"), key("ant", "cat"), key("ant..cat")}) == 3
    alone = {"pairs": "resnet8@one/resnet8"}
    whole = parse_parameters({**STUDY, "grid": alone, "teacher_variants": {"one": {"classes": []}}})
    plain = parse_parameters({**STUDY, "grid": {"pairs": "resnet8/resnet8"}})
    assert training_of(whole, lessons).key == training_of(plain, lessons, "resnet8").key


def test_a_teacher_is_validated_and_described_by_its_classes(
    parameters: Parameters, lessons: Lessons, bench: Bench
) -> None:
    training = training_of(parameters, lessons)
    weights = run(training, bench)
    card = DataCard.from_json(weights.card["data"])
    assert card.classes == ("ant", "cat", "eel")
    own = bench.val_of(training)
    assert len(own.images) == sum(own.card.counts["val"]) < len(bench.val.images)
    network = trained_network("resnet8", card, weights)
    same = trained_network("resnet8", lessons.card, weights)
    assert torch.equal(network.state_dict()["head.bias"], same.state_dict()["head.bias"])
    last = bench.entry(training).history()[-1]["val_top1"]
    assert training.task.measures(network, own)["top1"] == last


def test_teachers_are_measured_on_their_classes_and_together_on_all(
    teachers: list[Weights], lessons: Lessons, bench: Bench, splits: Splits
) -> None:
    test = Prepared(splits.test, splits.card)
    evaluator = Evaluator(bench.store, test, bench.val, bench.device, corruptions=False)
    found = evaluator.teacher("resnet8@one", teachers[0])
    assert found.images is None
    parts = [weights.card["data"]["counts"]["test"] for weights in teachers]
    right = found.measures["test_top1"] * sum(parts[0])
    assert right == pytest.approx(round(right))
    both = joined("resnet8&resnet8", teachers)
    whole = evaluator.teacher("resnet8@one&resnet8@other", both)
    assert whole.images is not None
    assert len(whole.images) == len(splits.test)
    network = trained_network("resnet8&resnet8", lessons.card, both).eval()
    assert parts_of(network) == ((0, 2, 4), (1, 3))
    images = torch.randn(2, 1, 8, 8)
    each = [member(images) for member in members_of(network)]
    assert torch.equal(network(images)[:, [0, 2, 4]], each[0])
    assert torch.equal(network(images)[:, [1, 3]], each[1])
    narrow, wide = (evaluator.cost("resnet8&resnet8", w)["parameters"] for w in (both, None))
    assert wide - narrow == 5 * 65  # rows of the heads


@pytest.mark.parametrize("system", ["joined_kd", "layerwise_ka", "cfl"])
def test_a_student_of_all_classes_learns_from_them(
    system: str, teachers: list[Weights], lessons: Lessons, bench: Bench, splits: Splits
) -> None:
    cell = Cell("beasts", PAIR.rpartition("/")[0], "resnet8", system, "always", 0)
    recipe = Recipe(epochs=1, batch_size=8, keep_epochs=0)
    means = {"distillation": Distillation(), "routing": Routing()}
    both = joined("resnet8&resnet8", teachers)
    training = cell_training(cell, both, lessons, recipe, **means)
    record = run_training(training, bench, Progress("beasts", 1))
    assert record.status == DONE, record.error
    val = Prepared(splits.val, splits.card)
    evaluator = Evaluator(bench.store, val, val, bench.device, corruptions=False)
    measures = evaluator.cell(cell, record, both, training).measures
    assert measures["test_top1"] == record.val_metric
    assert "test_agreement" in measures
    parts = [sum(weights.card["data"]["counts"]["val"]) for weights in teachers]
    right = [measures[f"test_top1_part{n}"] * count for n, count in enumerate(parts, start=1)]
    assert sum(right) == pytest.approx(measures["test_top1"] * len(splits.val))
    swapped = joined("resnet8&resnet8", teachers[::-1])
    assert cell_training(cell, swapped, lessons, recipe, **means).key != training.key


def test_untrained_teachers_are_described_as_trained_ones_are(
    parameters: Parameters, lessons: Lessons
) -> None:
    teacher = parameters.teacher_of(PAIR.rpartition("/")[0])
    known = description(teacher, lessons.card)
    assert parts_of(described_network(teacher.network, lessons.card, known)) == ((0, 2, 4), (1, 3))


def test_a_start_of_other_classes_keeps_all_but_the_head(
    lessons: Lessons, splits: Splits, tmp_path: Path
) -> None:
    state = fresh_network("resnet8", splits.card).state_dict()
    file = tmp_path / "start.safetensors"
    save_weights(Weights(state, {"data": splits.card.to_json()}), file)
    made = parse_parameters({**STUDY, "teacher_start": {"resnet8": str(file)}})
    start = teacher_start(made.teacher_of("resnet8@one"), lessons.card)
    assert start is not None
    assert set(start.card["fresh"]) == {"head.weight", "head.bias"}
    assert training_of(made, lessons).build(None).network.state_dict()["head.bias"].shape == (3,)


def test_settings_without_classes_are_what_they_were(parameters: Parameters) -> None:
    card = {"sha256": "0"} | replace(CARD).to_json()
    plain = parse_parameters({}).teacher_of("resnet20")
    assert teacher_settings(plain, card) == teacher_settings(replace(plain, classes=()), card)
    part = parameters.teacher_of("resnet8@one")
    assert teacher_settings(part, card) != teacher_settings(replace(part, classes=("x",)), card)


COUNTS = dict.fromkeys(("train", "val", "test"), (1,) * len(CLASSES))
CARD = DataCard("made", CLASSES, 1, 8, 8, (0.5,), (0.25,), COUNTS, "made", "1", "0")
