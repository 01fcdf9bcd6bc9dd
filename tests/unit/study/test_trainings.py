"""Trainings: their parameters, data and code decide their key and their bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from sakd.data import Augment, Groups, ImageSet, Prepared, RawData, Splits, Splitting, prepare
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE
from sakd.objectives import JointDistillation, Optimisation, SpotDistillation, Supervised
from sakd.objectives.parameters import Distillation, Routing
from sakd.study.bench import Bench
from sakd.study.lessons import Lessons
from sakd.study.recipe import Recipe
from sakd.study.store import CellStore
from sakd.study.train import run_training
from sakd.study.trainings import Training, teacher_training
from sakd.training import Precision
from sakd.training.progress import Progress
from sakd.weights.saved import Weights

Make = Callable[..., Training]
Same = Callable[[Any, Any], bool]


def shifted(weights: Weights) -> Weights:
    name = next(iter(weights.state))
    return Weights({**weights.state, name: weights.state[name] + 1})


@pytest.fixture
def of_other_data(lessons: Lessons) -> Lessons:
    card = replace(lessons.card, sha256="0" * 64)
    return replace(lessons, train=replace(lessons.train, card=card))


def test_the_key_is_a_function_of_the_content(make_training: Make) -> None:
    assert make_training("at", "adaptive").key == make_training("at", "adaptive").key
    assert len(make_training().key) == 64


@pytest.mark.parametrize(
    "changed",
    [
        {"epochs": 3},
        {"batch_size": 16},
        {"keep_epochs": 2},
        {"precision": "fast"},
        {"autocast": True},
        {"channels_last": True},
        {"optimisation": Optimisation(lr=0.01)},
        {"optimisation": Optimisation(lr=0.05, momentum=0.8)},
        {"optimisation": Optimisation(lr=0.05, weight_decay=0)},
        {"optimisation": Optimisation(lr=0.05, milestones=(0.5,))},
        {"augment": Augment(flip=True)},
        {"augment": Augment(crop_padding=1)},
        {"distillation": Distillation(ce_weight=0.5)},
        {"distillation": Distillation(kd_weight=0.5)},
        {"distillation": Distillation(weights={"at": 10})},
        {"distillation": Distillation(objective="joint")},
        {"distillation": Distillation(options={"kd": {"temperature": 2}})},
        {"routing": Routing(same_family_bias=0, gamma=3)},
        {"routing": Routing(same_family_bias=1)},
        {"routing": Routing(same_family_bias=0, lr_factor=1)},
        {"routing": Routing(same_family_bias=0, weight_decay=0)},
        {"routing": Routing(same_family_bias=0, options={"adaptive": {"temperature": 1}})},
        {"seed": 1},
        {"distiller": "sp"},
        {"distiller": "at-sp"},
        {"policy": "anti"},
    ],
    ids=str,
)
def test_the_key_changes_with(make_training: Make, changed: dict[str, Any]) -> None:
    method = {"distiller": "at", "policy": "adaptive"}
    assert make_training(**method | changed).key != make_training(**method).key


def test_the_key_changes_with_the_weights_of_the_teacher(
    make_training: Make, teacher: Weights
) -> None:
    assert make_training(weights=shifted(teacher)).key != make_training().key


def test_the_key_changes_with_the_images_and_how_they_are_normalised(
    make_training: Make, lessons: Lessons, of_other_data: Lessons
) -> None:
    few, others = replace(lessons, per_class=4), replace(lessons, per_class=4, seed=1)
    card = replace(lessons.card, mean=(0.9,))
    brighter = replace(lessons, train=replace(lessons.train, card=card))
    every = (lessons, of_other_data, few, others, brighter)
    assert len({make_training(images=images).key for images in every}) == 5


@pytest.mark.parametrize(
    ("method", "changed"),
    [
        (("at", "adaptive"), {"checkpoint_seconds": 99.0, "checkpoint_steps": 7}),
        (("at", "adaptive"), {"distillation": Distillation(weights={"sp": 10})}),
        (("at", "adaptive"), {"distillation": Distillation(weights={"at": 1000.0})}),
        (("at", "adaptive"), {"distillation": Distillation(options={"rkd": {"angle_weight": 1}})}),
        (
            ("at", "adaptive"),
            {"routing": Routing(same_family_bias=0, options={"random": {"rate": 0.1}})},
        ),
        (("at", "always"), {"routing": Routing(gamma=3, same_family_bias=5, lr_factor=2)}),
        (("at", "random"), {"routing": Routing(gamma=3, same_family_bias=5, weight_decay=1)}),
        (("none", "none"), {"routing": Routing(gamma=3, same_family_bias=5)}),
        (("none", "none"), {"distillation": Distillation(ce_weight=3, kd_weight=0)}),
        (("none", "none"), {"distillation": Distillation(objective="joint")}),
    ],
    ids=str,
)
def test_the_key_does_not_change_with(
    make_training: Make, method: tuple[str, str], changed: dict[str, Any]
) -> None:
    assert make_training(*method, **changed).key == make_training(*method).key


def test_trainings_share_batches_of_one_seed_size_and_plan(make_training: Make) -> None:
    training = make_training()
    assert make_training("sp", "adaptive").learns_from == training.learns_from
    plans = {replace(training, groups=g).learns_from for g in (None, Groups(1), Groups(2))}
    others = {make_training(seed=1).learns_from, make_training(batch_size=4).learns_from}
    assert len(plans | others) == 5


def test_trainings_of_one_kind_differ_in_their_seed_alone(make_training: Make) -> None:
    kind = make_training("at").kind
    assert make_training("at", seed=1).kind == kind
    assert kind not in {make_training("sp").kind, make_training("at", epochs=3).kind}


def test_trainings_share_a_teacher_if_one_is_frozen(make_training: Make, teacher: Weights) -> None:
    other = Weights({name: tensor + 1 for name, tensor in teacher.state.items()})
    taught = make_training().taught_by
    assert taught is not None
    assert make_training("at", seed=1).taught_by == taught
    assert make_training(weights=other).taught_by != taught
    assert make_training(distillation=Distillation("joint")).taught_by is None


def test_the_student_alone_does_not_depend_on_the_teacher(
    make_training: Make, teacher: Weights
) -> None:
    alone = make_training("none", "none", weights=shifted(teacher))
    assert alone.key == make_training("none", "none").key
    assert isinstance(alone.build(None), Supervised)


def test_cells_of_one_seed_start_from_the_same_student(make_training: Make, same: Same) -> None:
    methods = [("none", "none"), ("kd", "always"), ("fitnet", "adaptive"), ("at", "random")]
    states = [make_training(*method).build(None).network.state_dict() for method in methods]
    assert all(same(states[0], state) for state in states[1:])
    assert not same(states[0], make_training(seed=1).build(None).network.state_dict())


def test_building_leaves_the_random_state_alone(make_training: Make) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    make_training("fitnet", "adaptive").build(None)
    assert torch.equal(torch.rand(3), expected)


def test_a_cell_gives_the_same_bits_whatever_was_trained_before(
    make_training: Make, bench: Bench, tmp_path: Path, progress: Progress, same: Same
) -> None:
    training = make_training("fitnet", "adaptive")
    run_training(training, bench, progress)
    torch.manual_seed(123)
    other = replace(bench, store=CellStore(tmp_path / "other"))
    run_training(make_training("kd", "random", 7), other, progress)
    run_training(training, other, progress)
    one, two = (b.store.entry(training.group, training.id, training.key) for b in (bench, other))
    assert same(load_file(one.last), load_file(two.last))
    assert one.history() == two.history()


def test_seeds_give_different_students(
    make_training: Make, bench: Bench, progress: Progress, same: Same
) -> None:
    states = []
    for seed in (0, 1):
        training = make_training(seed=seed)
        run_training(training, bench, progress)
        states.append(load_file(bench.store.entry(training.group, training.id, training.key).last))
    assert not same(*states)


def test_a_student_sees_only_its_labelled_images(make_training: Make, lessons: Lessons) -> None:
    training = make_training(images=replace(lessons, per_class=4))
    assert training.images.labels.bincount().tolist() == [4, 4, 4]
    assert make_training().images is lessons.train.images


def test_images_set_aside_come_with_the_cells_whose_policy_learns_from_them(
    make_training: Make, lessons: Lessons
) -> None:
    asking, other = make_training(policy="heldout"), make_training(policy="adaptive")
    assert (asking.aside, other.aside) == (lessons.aside, None)
    assert asking.images is other.images is lessons.images
    assert asking.learns_from == other.learns_from
    with pytest.raises(UserError, match=r"'heldout' .* have none: .*data\.set_aside"):
        make_training(policy="heldout", images=replace(lessons, aside=None))


def test_no_training_sees_an_image_that_is_set_aside(make_training: Make) -> None:
    pixels = torch.arange(60, dtype=torch.uint8).view(60, 1, 1, 1).expand(-1, -1, 8, 8)
    raw = RawData(ImageSet(pixels, torch.arange(60) % 3), None, ("a", "b", "c"), "shades of grey")
    apart = prepare(raw, Splitting(0.2, test_fraction=0.2, set_aside=0.3), name="toys")
    lessons = Lessons(Prepared(apart.train, apart.card), aside=apart.aside)
    cell = make_training(policy="heldout", images=lessons)
    assert cell.aside is not None
    aside = set(cell.aside.images[:, 0, 0, 0].tolist())
    for training in (cell, teacher_training("resnet14", 0, lessons, Recipe())):
        seen = set(training.images.images[:, 0, 0, 0].tolist())
        assert len(seen) == len(apart.train)
        assert not seen & aside


def test_the_router_follows_the_student_at_its_own_rate(make_training: Make) -> None:
    training = make_training("kd", "adaptive", optimisation=Optimisation(lr=0.2, momentum=0.5))
    assert training.optimisation["student"] == Optimisation(lr=0.2, momentum=0.5)
    expected = Optimisation(lr=0.1, momentum=0.5, weight_decay=1e-3)
    assert training.optimisation["router"] == expected


def test_a_distilled_cell_has_the_teacher_frozen_and_as_given(
    make_training: Make, teacher: Weights, same: Same
) -> None:
    objective = make_training("kd", "adaptive").build(None)
    assert isinstance(objective, SpotDistillation)
    assert same(objective.teacher.state_dict(), teacher.state)
    assert not any(parameter.requires_grad for parameter in objective.teacher.parameters())


def test_a_cell_that_trains_its_teacher_leaves_that_of_other_cells_alone(
    make_training: Make, teacher: Weights, bench: Bench, progress: Progress, same: Same
) -> None:
    before = {name: value.clone() for name, value in teacher.state.items()}
    training = make_training("at", "adaptive", distillation=Distillation(objective="joint"))
    objective = training.build(None)
    assert isinstance(objective, JointDistillation)
    assert same(objective.teacher.state_dict(), before)
    assert run_training(training, bench, progress).status == DONE
    assert same(dict(teacher.state), before)
    result = load_file(bench.store.entry(training.group, training.id, training.key).last)
    assert result.keys() == objective.student.state_dict().keys()


def test_weights_of_another_teacher_are_refused(make_training: Make) -> None:
    with pytest.raises(
        UserError,
        match=r"'resnet14': \d+ missing .*; name the",
    ):
        make_training(weights=Weights({"conv.weight": torch.zeros(1)})).build(None)


class TestTeacher:
    TRAINING = Recipe(epochs=1, batch_size=8, keep_epochs=0)

    def test_its_training_is_named_after_data_network_and_seed(self, lessons: Lessons) -> None:
        training = teacher_training("resnet14", 3, lessons, self.TRAINING)
        assert (training.group, training.id) == ("teachers", "toys-resnet14-teacher-s3")

    def test_its_key_changes_with_network_seed_data_and_recipe(
        self, lessons: Lessons, of_other_data: Lessons
    ) -> None:
        trainings = [
            teacher_training("resnet14", 0, lessons, self.TRAINING),
            teacher_training("resnet8", 0, lessons, self.TRAINING),
            teacher_training("resnet14", 1, lessons, self.TRAINING),
            teacher_training("resnet14", 0, of_other_data, self.TRAINING),
            teacher_training("resnet14", 0, lessons, replace(self.TRAINING, epochs=2)),
        ]
        assert len({training.key for training in trainings}) == len(trainings)

    def test_it_is_trained_on_the_labels_to_the_same_bits(
        self, lessons: Lessons, bench: Bench, tmp_path: Path, splits: Splits, same: Same
    ) -> None:
        states = []
        for place in ("one", "two"):
            at = replace(bench, store=CellStore(tmp_path / place))
            training = teacher_training("resnet14", 0, lessons, self.TRAINING)
            run_training(training, at, Progress("teacher", 1))
            states.append(load_file(at.store.entry(training.group, training.id, training.key).last))
        assert same(*states)
        assert training.images is splits.train


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Precision()),
        ({"precision": "fast"}, Precision(torch.bfloat16, channels_last=True, tf32=True)),
        ({"precision": "fast", "autocast": False}, Precision(channels_last=True, tf32=True)),
        ({"channels_last": True}, Precision(channels_last=True)),
        ({"compile": True}, Precision(compiled=True)),
    ],
)
def test_a_precision_is_put_together_of_its_parts(
    given: dict[str, Any], expected: Precision
) -> None:
    assert Recipe(**given).arithmetic == expected


def test_a_fast_cell_is_trained(make_training: Make, bench: Bench, progress: Progress) -> None:
    training = make_training("at", "adaptive", precision="fast")
    record = run_training(training, bench, progress)
    assert record.status == DONE, record.error
    exact = run_training(make_training("at", "adaptive"), bench, progress)
    assert record.key != exact.key
