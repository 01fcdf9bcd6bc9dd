"""Variants of a teacher: their recipes, their keys, and what is refused."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
import torch

from sakd.foundation.errors import UserError
from sakd.pipelines.keys import own_training, taught_trainings
from sakd.study.lessons import Lessons
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.weights.saved import Weights

VARIANTS = {"brief": {"epochs": 2, "optimisation": {"lr": 0.1}}, "noisy": {"label_noise": 0.5}}
STUDY: dict[str, Any] = {
    "grid": {"pairs": "resnet14/resnet8+resnet14@brief/resnet8+resnet14@noisy/resnet8"},
    "teacher": {"epochs": 7, "optimisation": {"momentum": 0.5}},
    "teacher_variants": VARIANTS,
    "teacher_seed": 3,
}


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return parse_parameters(STUDY)


def test_a_variant_has_the_settings_of_the_plain_teacher_but_for_its_own(
    parameters: Parameters,
) -> None:
    plain, brief, noisy = map(parameters.teacher_of, parameters.grid.teachers())
    assert (plain.network, brief.network, noisy.network) == ("resnet14",) * 3
    assert (plain.recipe.epochs, brief.recipe.epochs, noisy.recipe.epochs) == (7, 2, 7)
    assert brief.recipe.optimisation == replace(plain.recipe.optimisation, lr=0.1)
    assert (plain.label_noise, brief.label_noise, noisy.label_noise) == (0, 0, 0.5)
    assert plain.seed == brief.seed == noisy.seed == 3
    assert parse_parameters(asdict(parameters)) == parameters


def test_a_variant_has_the_key_of_a_plain_teacher_of_its_recipe(
    parameters: Parameters, lessons: Lessons
) -> None:
    longer = {"epochs": 2, "optimisation": {"momentum": 0.5, "lr": 0.1}}
    other = parse_parameters({"teacher_seed": 3, "teacher": longer})
    plain = own_training(other.teacher_of("resnet14"), lessons)
    brief = own_training(parameters.teacher_of("resnet14@brief"), lessons)
    assert brief.key == plain.key
    assert brief.id == "toys-resnet14_brief-teacher-s3"


def test_a_variant_of_another_seed_has_the_key_of_a_plain_teacher_of_that_seed(
    lessons: Lessons,
) -> None:
    pairs = {"pairs": "resnet14@second&resnet14/resnet8", "systems": "average", "distillers": []}
    made = parse_parameters({**STUDY, "grid": pairs, "teacher_variants": {"second": {"seed": 2}}})
    second, first, _ = (made.teacher_of(name) for name in made.grid.teachers())
    plain = parse_parameters({**STUDY, "teacher_seed": 5}).teacher_of("resnet14")
    assert own_training(second, lessons).key == own_training(plain, lessons).key
    assert own_training(first, lessons).key != own_training(plain, lessons).key


def test_wrong_labels_are_in_the_key_and_for_the_teacher_alone(
    parameters: Parameters, lessons: Lessons, teacher: Weights
) -> None:
    of = {
        name: own_training(parameters.teacher_of(name), lessons)
        for name in parameters.grid.teachers()
    }
    assert len({training.key for training in of.values()}) == 3
    true = lessons.train.images.labels
    assert int((of["resnet14@noisy"].images.labels != true).sum()) == len(true) // 2
    assert of["resnet14@noisy"].learns_from != of["resnet14"].learns_from
    for row in parameters.grid.rows("toys"):
        for training in taught_trainings(row, teacher, lessons, parameters):
            assert torch.equal(training.images.labels, true)


def test_less_noise_is_another_teacher(lessons: Lessons) -> None:
    def key(noise: float) -> str:
        made = parse_parameters(
            {**STUDY, "teacher_variants": {"brief": {}, "noisy": {"label_noise": noise}}}
        )
        return own_training(made.teacher_of("resnet14@noisy"), lessons).key

    assert len({key(0.0), key(0.1), key(0.2)}) == 3
    plain = parse_parameters(STUDY).teacher_of("resnet14")
    assert key(0.0) == own_training(plain, lessons).key


def test_a_student_alone_is_one_training_for_all_variants_and_taught_ones_are_not(
    parameters: Parameters, lessons: Lessons, teacher: Weights
) -> None:
    rows = parameters.grid.rows("toys")
    trained = [taught_trainings(row, teacher, lessons, parameters) for row in rows]
    alone, *taught = zip(*trained, strict=True)
    assert len({(one.group, one.id, one.key) for one in alone}) == 1
    assert alone[0].group == "toys-resnet14-resnet8-s0"
    for cells in taught:
        assert len({one.key for one in cells}) == 3


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"grid": {"pairs": "resnet14@breif/resnet8"}}, "resnet14@breif: .*did you mean 'brief'"),
        (
            {"grid": {"pairs": "resnet14@brief/resnet8"}, "teacher_variants": {}},
            "'brief'.*describe it in teacher_variants",
        ),
        ({"grid": {"pairs": "resnet14/resnet8@brief"}}, "student 'resnet8@brief'.*'resnet8'"),
        ({"grid": {"pairs": "resnte14@brief/resnet8"}}, "did you mean 'resnet14'"),
        ({"teacher_variants": {"a-b": {}}}, "'a-b' cannot name a variant; .*underscores"),
        (
            {"teacher_variants": {"brief": {"epoch": 1}}},
            r"'teacher_variants\.brief\.epoch'.*epochs",
        ),
        (
            {"teacher_variants": {"brief": {"epochs": 0}}},
            r"teacher_variants\.brief'.*1 or more, got 0",
        ),
        ({"teacher_variants": {"noisy": {"label_noise": 1.0}}}, r"from 0 to below 1, got 1\.0"),
        ({"teacher_variants": {"noisy": {"label_noise": -0.1}}}, r"from 0 to below 1, got -0\.1"),
        ({"teacher_variants": {"brief": {"seed": -1}}}, r"brief'.* 0 or more, got -1"),
        ({"teacher": {"label_noise": 0.1}}, "'teacher.label_noise'"),
        (
            {"teacher_weights": {"resnet14@brief": "a"}},
            "'resnet14@brief', which is trained here; .*plain",
        ),
        ({"teacher_start": {"resnet14@brief": "a"}}, "'resnet14@brief'.* not one of: resnet14$"),
        (
            {"teacher_weights": {"resnet14": "a"}, "grid": {"pairs": "vgg8/resnet14/resnet8"}},
            "vgg8$",
        ),
        ({"grid": {"pairs": "vgg8/resnet14@breif/resnet8"}}, "did you mean 'brief'"),
        ({"grid": {"pairs": "vgg8@8/resnet8"}}, "'vgg8@8': epoch 8 .* the 7 of vgg8: .* 1 to 7"),
        ({"grid": {"pairs": "vgg8@0/resnet8"}}, "'vgg8@0': epoch 0 .* the 7 of vgg8"),
        ({"grid": {"pairs": "vgg8@brief@3/resnet8"}}, "'vgg8@brief@3': epoch 3 .* the 2 of vgg8@b"),
        ({"grid": {"pairs": "vgg8@breif@3/resnet8"}}, "did you mean 'brief'"),
        ({"teacher_variants": {"3": {}}}, "'3' cannot name a variant; .* digits alone"),
        (
            {"grid": {"pairs": "vgg8@3/resnet8"}, "teacher_weights": {"vgg8": "a"}},
            "'vgg8@3': vgg8 is read from a file",
        ),
        ({"assistants": {"distiller": "simkd"}}, "assistants.distiller: 'simkd' .*take another"),
        ({"assistants": {"distiller": "kdd"}}, "unknown distiller 'kdd'; did you mean 'kd'"),
        ({"grid": {"pairs": "vgg8&vgg11/resnet8"}}, "'vgg8&vgg11/resnet8' has 2 teachers.*dgkd"),
        ({"grid": {"pairs": "vgg8//vgg11/resnet8"}}, "'vgg8//vgg11/resnet8' has 2 teachers.*dgkd"),
        (
            {"teacher_variants": {**VARIANTS, "brief": {"augment": {"rand_augment": 2}}}},
            "rand_augment .*streamed images only",
        ),
    ],
)
def test_what_no_teacher_can_be_is_refused_in_one_line(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        parse_parameters({**STUDY, **changes})
    assert "\n" not in str(caught.value)


def test_files_are_for_the_network_and_finished_ones_for_the_plain_teacher_alone() -> None:
    start = parse_parameters({**STUDY, "teacher_start": {"resnet14": "start.pt"}})
    assert {start.teacher_of(name).start for name in start.grid.teachers()} == {
        start.teacher_start["resnet14"]
    }
    finished = parse_parameters({**STUDY, "teacher_weights": {"resnet14": "done.pt"}})
    files = [finished.teacher_of(name).file for name in finished.grid.teachers()]
    assert files == [finished.teacher_weights["resnet14"], None, None]


def test_variants_that_no_pair_names_are_left_alone() -> None:
    assert parse_parameters({"teacher_variants": VARIANTS}).grid.teachers() == ("resnet20",)
