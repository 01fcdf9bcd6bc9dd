"""Keys that were recorded once; a parameter that is added later may not change them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from sakd.data import Augment, DataCard, ImageSet, Prepared
from sakd.foundation.keys import added, content_key, facts_of
from sakd.objectives import Distillation, Optimisation, Routing
from sakd.study.facts import FORMAT, facts_alone, facts_of_system
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.recipe import Recipe
from sakd.study.trainings import Training, cell_training, teacher_training
from sakd.systems import SYSTEMS, Partner
from sakd.weights.saved import Weights

RECORDED: dict[str, str] = json.loads(
    (Path(__file__).parents[2] / "golden" / "keys.json").read_text()
)

CARD = DataCard(
    name="made",
    classes=("ant", "bee", "cat"),
    channels=1,
    height=8,
    width=8,
    mean=(0.5,),
    std=(0.25,),
    counts={},
    source="made for the test",
    key="1",
    sha256="0123",
)
IMAGES = ImageSet(torch.zeros(6, 1, 8, 8, dtype=torch.uint8), torch.arange(6) % 3)
LESSONS = Lessons(Prepared(IMAGES, CARD), per_class=1, seed=3)
TEACHER = Weights({"head.bias": torch.arange(3.0)})
OTHERS = Weights(TEACHER.state, {"statistics": {"mean": [0.1], "std": [0.2]}})
PLAIN = Recipe()
AUGMENT = Augment(crop_padding=4, flip=True)
LONG = Recipe(epochs=7, optimisation=Optimisation(lr=0.1, milestones=(0.5,)))


def cell(
    distiller: str,
    policy: str,
    recipe: Recipe = PLAIN,
    teacher: Weights = TEACHER,
    start: Weights | None = None,
    **how: Any,
) -> Training:
    """Make the training of a cell of resnet8 under resnet20."""
    given = {"distillation": Distillation(), "routing": Routing(), **how}
    made = Cell("made", "resnet20", "resnet8", distiller, policy, 5)
    return cell_training(made, teacher, LESSONS, recipe, start=start, **given)


CASES: dict[str, Callable[[], Training]] = {
    "a teacher": partial(teacher_training, "resnet20", 0, LESSONS, Recipe()),
    "a teacher of another recipe": partial(teacher_training, "vgg8", 1, LESSONS, LONG),
    "a student alone": partial(cell, "none", "none"),
    "a student alone from weights": partial(cell, "none", "none", start=TEACHER),
    "kd, plain": partial(cell, "kd", "always"),
    "at, adaptive": partial(cell, "at", "adaptive"),
    "at, adaptive, other recipe": partial(cell, "at", "adaptive", LONG),
    "at and sp, anti": partial(cell, "at-sp", "anti"),
    "simkd": partial(cell, "simkd", "always"),
    "a teacher with statistics of its own": partial(cell, "kd", "always", teacher=OTHERS),
    "a teacher that learns": partial(
        cell, "at", "always", distillation=Distillation(objective="joint")
    ),
    "weights and options": partial(
        cell,
        "rkd",
        "random",
        distillation=Distillation(
            kd_weight=0.5, weights={"rkd": 2.0}, options={"kd": {"temperature": 2}}
        ),
        routing=Routing(options={"random": {"rate": 0.25}}),
    ),
    "a router of another kind": partial(cell, "fitnet", "adaptive", routing=Routing(gamma=3.0)),
    "augmented": partial(cell, "kd", "always", Recipe(augment=AUGMENT)),
    "fixed views": partial(cell, "kd", "always", Recipe(augment=replace(AUGMENT, views=4))),
    "label smoothing": partial(cell, "label_smoothing", "always"),
    "label smoothing, set": partial(
        cell, "label_smoothing", "always", systems={"label_smoothing": {"epsilon": 0.2}}
    ),
    "kept outputs": partial(cell, "kd", "always", distillation=Distillation(keep_outputs_mb=8)),
}
"""The recorded trainings, each made where it is asked for."""


def key(training: Training) -> str:
    """Give the key without the code, which may change."""
    facts = {name: value for name, value in training.facts.items() if name != "code"}
    return content_key({"format": FORMAT, **facts})


@pytest.mark.parametrize("name", RECORDED)
def test_keys_are_those_that_were_recorded(name: str) -> None:
    assert key(CASES[name]()) == RECORDED[name]


def test_every_recorded_key_is_tried() -> None:
    assert set(RECORDED) == set(CASES)
    assert len(set(RECORDED.values())) == len(RECORDED)


def test_a_parameter_that_is_added_leaves_the_keys_and_counts_once_it_is_used() -> None:
    @dataclass(frozen=True)
    class Longer(Recipe):
        """A recipe of tomorrow."""

        nesterov: bool = added(False)

    assert cell("at", "adaptive", Longer()).key == cell("at", "adaptive").key
    assert cell("at", "adaptive", Longer(nesterov=True)).key != cell("at", "adaptive").key


def test_a_limit_for_kept_outputs_counts_only_where_some_can_be_kept() -> None:
    kept, joint = Distillation(keep_outputs_mb=8), Distillation("joint", keep_outputs_mb=8)
    varied = Recipe(augment=AUGMENT)
    assert cell("kd", "always", varied, distillation=kept).key == CASES["augmented"]().key
    assert cell("none", "none", distillation=kept).key == CASES["a student alone"]().key
    learning = cell("at", "always", distillation=joint)
    assert learning.key == CASES["a teacher that learns"]().key


def test_the_code_of_a_training_is_part_of_its_key() -> None:
    code = CASES["at, adaptive"]().facts["code"]
    used = {
        *("sakd.distillers.at", "sakd.distillers.kd", "sakd.routing.adaptive"),
        *("sakd.networks.zoo.resnet", "sakd.objectives.graft", "sakd.training.fit"),
        *("sakd.data.batches.stream", "sakd.objectives.spot_distillation"),
    }
    assert used <= code.keys()
    assert not {"sakd.distillers.sp", "sakd.networks.zoo.vgg"} & code.keys()
    changed = {**CASES["at, adaptive"]().facts, "code": {**code, "sakd.distillers.at": "0"}}
    assert content_key({"format": FORMAT, **changed}) != CASES["at, adaptive"]().key


def test_more_code_counts_where_a_recipe_or_labels_need_more() -> None:
    def code(lessons: Lessons = LESSONS, **recipe: float) -> dict[str, str]:
        found: dict[str, str] = facts_alone("resnet8", lessons, Recipe(**recipe), None)["code"]
        return found

    plain, noisy = code(), replace(LESSONS, label_noise=0.1)
    more = {
        "sakd.tasks.smoothing": code(label_smoothing=0.1),
        "sakd.training.average": code(ema=0.9),
        "sakd.data.splits.mislabelling": code(noisy),
    }
    for module, found in more.items():
        assert plain.items() <= found.items()
        assert module in found.keys() - plain.keys()


def test_the_weights_of_a_teacher_count_where_a_system_learns_from_them() -> None:
    learnt, alone = cell("instance_smoothing", "always"), CASES["label smoothing"]()
    assert learnt.facts["teacher_weights"] == TEACHER.sha256()
    assert "teacher_weights" not in alone.facts


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_facts_of_a_system_are_of_all_that_it_uses_and_nothing_else(name: str) -> None:
    kind = SYSTEMS[name]
    settings, kept = kind.settings(), Distillation(keep_outputs_mb=8)
    made = Cell("made", "vgg8", "resnet8", name, "adaptive", 5)
    facts = facts_of_system(made, TEACHER, settings, kept, Routing())
    used = {
        "sakd.networks.zoo.vgg": kind.partner is not Partner.NONE,
        "sakd.routing.adaptive": kind.routable,
    }
    assert {"sakd.training.fit", "sakd.networks.zoo.resnet", kind.__module__} <= facts[
        "code"
    ].keys()
    assert {module: module in facts["code"] for module in used} == used
    others = {
        "teacher_weights": kind.partner.trained,
        "distillation": kind.distils,
        "keep_outputs_mb": not kind.distils,
        "policy_options": kind.routable,
        "routing": kind.routable,
    }
    assert facts["settings"] == facts_of(settings)
    assert facts.keys() - {"code", "settings"} == {each for each in others if others[each]}


def test_an_unknown_teacher_and_a_limit_of_nothing_are_no_facts_of_a_system() -> None:
    made = Cell("made", "vgg8", "resnet8", "instance_smoothing", "always", 5)
    settings = SYSTEMS["instance_smoothing"].settings()
    facts = facts_of_system(made, None, settings, Distillation(), Routing())
    assert facts.keys() == {"code", "settings"}


def test_lessons_are_of_all_images_with_their_labels_unless_others_are_asked_for() -> None:
    plain = Lessons(LESSONS.train)
    assert plain.images is IMAGES
    data = {"data": CARD.sha256, "statistics": CARD.normalisation}
    assert plain.facts == {**data, "per_class": None, "subset_seed": 0}
    noisy = replace(plain, label_noise=0.5)
    assert int((noisy.images.labels != IMAGES.labels).sum()) == 3
    assert noisy.facts == {**plain.facts, "label_noise": 0.5}


def test_the_network_that_is_kept_is_the_one_that_the_method_makes() -> None:
    assert cell("kd", "always").network == "resnet8"
    assert CASES["simkd"]().network not in {"resnet8", "resnet20"}


def test_a_student_alone_is_shared_by_rows_and_a_swept_cell_is_named_by_its_values() -> None:
    alone, taught = cell("none", "none"), cell("kd", "always")
    assert (alone.shared, taught.shared) == (True, False)
    assert teacher_training("resnet20", 0, LESSONS, PLAIN).shared is False
    made = Cell("made", "resnet20", "resnet8", "kd", "always", 5, swept="student.epochs=3")
    swept = cell_training(
        made, TEACHER, LESSONS, PLAIN, distillation=Distillation(), routing=Routing()
    )
    assert swept.title == f"{swept.id}, student.epochs=3"
    assert (taught.title, taught.key) == (taught.id, swept.key)
