"""Parameters are parsed once; wrong ones are refused with place, value and remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from sakd.foundation.errors import UserError
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters

Load = Callable[..., dict[str, Any]]


def complaint(parameters: dict[str, Any]) -> str:
    with pytest.raises(UserError) as caught:
        parse_parameters(parameters)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_no_parameters_at_all_give_the_defaults() -> None:
    assert parse_parameters({}) == Parameters()


def test_the_default_study_is_the_digits_one() -> None:
    parameters = parse_parameters({})
    assert parameters.data.dataset().name == "digits"
    assert parameters.device == "auto"


def test_parsed_parameters_parse_to_the_same_again(load: Load) -> None:
    parameters = parse_parameters(load("local"))
    assert parse_parameters(asdict(parameters)) == parameters


@pytest.mark.parametrize("policies", [["always", "heldout"], ["all"]])
def test_a_policy_for_images_set_aside_is_refused_without_any(policies: list[str]) -> None:
    grid = {"policies": policies}
    assert re.search(r"'heldout' .*data\.set_aside is 0: set it", complaint({"grid": grid}))
    assert parse_parameters({"grid": grid, "data": {"set_aside": 0.1}}).data.set_aside == 0.1


@pytest.mark.parametrize(
    ("streamed", "augment", "message"),
    [
        (True, {"crop_padding": 4}, "crop_padding 4: streamed"),
        (False, {"rand_augment": 2}, "rand_augment .*streamed images only"),
        (True, {"views": 2}, "views 2: streamed images"),
    ],
)
def test_augmentation_of_the_other_kind_of_data_is_refused_at_the_door(
    streamed: bool, augment: dict[str, int], message: str
) -> None:
    data = {"name": "folder", "path": "pets", "streamed": streamed}
    with pytest.raises(UserError, match=message):
        parse_parameters({"data": data, "student": {"augment": augment}})


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"MobileNetV3": 0.1}, "did you mean 'MobileNetV2'"),
        ({"vgg8": 0}, "student_lr of vgg8 must"),
    ],
)
def test_learning_rates_of_students_are_those_of_networks(
    rates: dict[str, float], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        parse_parameters({"student_lr": rates})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "folder", "options": {"size": 1}}, "data.options.size 1 pixels; allowed: 2 to"),
        ({"name": "folder", "size": 64}, "unknown parameter 'data.size'"),
        ({"name": "folder", "path": 2024}, "'data.path' is a number, 2024; for a folder write ./"),
        ({"name": "folder", "path": "~nobody1/x"}, "~nobody1/x: there is no user nobody1; write"),
        ({"duplicates": "merge"}, "parameter 'data.duplicates': Input should be 'drop' or 'keep'"),
        ({"options": {"size": 9}}, "digits does not take data.options.size; leave it out"),
        ({"options": {"workers": 2}}, "data.options.workers: .* set in data itself"),
        ({"name": "torchvision:FashionMNITS"}, "did you mean 'FashionMNIST"),
        ({"name": "flowers"}, "unknown dataset 'flowers'; .*or torchvision:NAME"),
        ({"name": "digits", "streamed": True}, "digits does not take data.streamed; leave it out"),
        ({"workers": -1}, "workers must be 0 or more, or null, got -1"),
        (
            {"name": "cifar10", "options": {"statistics": "mine"}},
            "data.options.statistics of cifar10 takes 'published' or 'own'",
        ),
        ({"name": "folder", "source": "zip"}, "folder has no source 'zip'; allowed: files"),
    ],
)
def test_wrong_parameters_of_a_dataset_are_refused(data: dict[str, Any], message: str) -> None:
    assert re.search(message, complaint({"data": data}))


class TestCommandLine:
    """Kedro passes numbers, texts and booleans; lists are written with a plus."""

    def test_a_list_of_names(self) -> None:
        parameters = parse_parameters({"grid": {"distillers": "kd+at"}})
        assert parameters.grid.distillers == ("kd", "at")

    def test_a_list_of_numbers(self) -> None:
        assert parse_parameters({"grid": {"seeds": "0+3"}}).grid.seeds == (0, 3)

    def test_a_list_of_classes_some_of_which_are_numbers(self) -> None:
        for written in ("10+9+x", [10, 9, "x"]):
            assert parse_parameters({"data": {"classes": written}}).data.classes == ("10", "9", "x")

    def test_a_list_of_one_number(self) -> None:
        assert parse_parameters({"grid": {"seeds": 4}}).grid.seeds == (4,)

    def test_a_list_of_one_name(self) -> None:
        assert parse_parameters({"grid": {"policies": "anti"}}).grid.policies == ("anti",)

    def test_a_list_of_fractions_deeper_down(self) -> None:
        parameters = parse_parameters({"student": {"optimisation": {"milestones": "0.5+0.75"}}})
        assert parameters.student.optimisation.milestones == (0.5, 0.75)

    def test_a_single_fraction(self) -> None:
        parameters = parse_parameters({"student": {"optimisation": {"milestones": 0.5}}})
        assert parameters.student.optimisation.milestones == (0.5,)

    def test_it_overrides_the_files(self, load: Load) -> None:
        parameters = load("local", grid={"seeds": "0+1"}, student={"epochs": 3})
        parameters = parse_parameters(parameters)
        assert parameters.grid.seeds == (0, 1)
        assert parameters.student.epochs == 3
        assert parameters.student.keep_epochs == 5
        assert parameters.grid.distillers == ("at",)

    def test_a_path_is_a_path(self) -> None:
        parameters = {"data": {"name": "cifar100", "source": "parquet", "path": "some/folder"}}
        assert parse_parameters(parameters).data.path == Path("some/folder")


class TestUnknownKeys:
    def test_at_the_top(self) -> None:
        message = complaint({"grd": {"seeds": 0}})
        assert message.startswith("unknown parameter 'grd'; did you mean 'grid'? known: device, ")

    def test_deeper_down(self) -> None:
        message = complaint({"student": {"optimisation": {"momentun": 0.5}}})
        assert "unknown parameter 'student.optimisation.momentun'" in message
        assert "did you mean 'momentum'?" in message
        assert "known: lr, momentum, weight_decay, milestones, decay" in message

    def test_below_a_name_of_ones_own(self) -> None:
        message = complaint({"teacher_statistics": {"resnet20": {"men": [0.5]}}})
        assert "unknown parameter 'teacher_statistics.resnet20.men'" in message
        assert "did you mean 'mean'? known: mean, std" in message

    def test_like_no_other(self) -> None:
        assert complaint({"grid": {"zzz": 1}}).startswith("unknown parameter 'grid.zzz'; known: ")

    def test_several_at_once(self) -> None:
        message = complaint({"grid": {"seds": 1}, "student": {"epoch": 1}})
        assert "'grid.seds'" in message
        assert "'student.epoch'" in message

    def test_in_a_file(self, load: Load) -> None:
        assert "'epoch'" not in complaint(load("local", students={"epochs": 3}))
        assert "did you mean 'student'" in complaint(load("local", students={"epochs": 3}))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"grid": {"distillers": "kd+fitne"}}, ["distiller 'fitne'", "did you mean 'fitnet'?"]),
        ({"grid": {"policies": ["adaptiv"]}}, ["policy 'adaptiv'", "did you mean 'adaptive'?"]),
        ({"grid": {"pairs": ["resnet20/resnet9"]}}, ["network 'resnet9'", "'resnet8'"]),
        ({"grid": {"pairs": ["resnt20/resnet8"]}}, ["network 'resnt20'", "'resnet20'"]),
        ({"data": {"name": "digit"}}, ["dataset 'digit'", "did you mean 'digits'?"]),
        ({"data": {"source": "torchvision"}}, ["digits", "'torchvision'", "allowed: bundled"]),
        ({"distillation": {"weights": {"spp": 1}}}, ["distiller 'spp'", "'sp'"]),
        ({"distillation": {"options": {"kdd": {}}}}, ["distiller 'kdd'", "'kd'"]),
        ({"routing": {"options": {"rando": {}}}}, ["policy 'rando'", "'random'"]),
        (
            {"distillation": {"options": {"kd": {"temprature": 2}}}},
            ["distiller 'kd' has no option 'temprature'", "known: temperature"],
        ),
        (
            {"distillation": {"options": {"sp": {"temperature": 2}}}},
            ["distiller 'sp' has no option 'temperature'", "known: none"],
        ),
        (
            {"routing": {"options": {"always": {"rate": 1}}}},
            ["policy 'always' has no option 'rate'", "known: none"],
        ),
        (
            {"distillation": {"objective_options": {"joint": {"rate": 1}}}},
            ["objective 'joint' has no option 'rate'", "known: none"],
        ),
        (
            {"distillation": {"objective_options": {"join": {}}}},
            ["objective 'join'", "did you mean 'joint'?"],
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_near_one(
    parameters: dict[str, Any], words: list[str]
) -> None:
    message = complaint(parameters)
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("parameters", "place", "value"),
    [
        ({"device": "gpu"}, "device", "'gpu'"),
        ({"threads": "many"}, "threads", "'many'"),
        ({"threads": 0}, "threads", "0"),
        ({"student": 3}, "student", "3"),
        ({"student": {"epochs": "ten"}}, "student.epochs", "'ten'"),
        ({"student": {"epochs": 2.5}}, "student.epochs", "2.5"),
        ({"student": {"epochs": 0}}, "student", "epochs must be 1 or more, got 0"),
        ({"teacher": {"batch_size": -1}}, "teacher", "batch_size must be 1 or more, got -1"),
        ({"student": {"keep_epochs": -1}}, "student", "keep_epochs must be 0 or more, got -1"),
        ({"student": {"optimisation": {"lr": 0}}}, "student.optimisation", "lr must be above 0"),
        ({"student": {"optimisation": {"momentum": 1}}}, "student.optimisation", "momentum"),
        ({"student": {"optimisation": {"milestones": "2"}}}, "student.optimisation", "fractions"),
        ({"student": {"augment": {"crop_padding": -1}}}, "student.augment", "crop_padding"),
        ({"student": {"augment": {"flip": "perhaps"}}}, "student.augment.flip", "'perhaps'"),
        ({"grid": {"seeds": "0+x"}}, "grid.seeds.1", "'x'"),
        ({"grid": {"baseline": "perhaps"}}, "grid.baseline", "'perhaps'"),
        ({"data": {"val_fraction": 1}}, "data", "val_fraction must be above 0 and below 1, got 1"),
        ({"data": {"test_fraction": 0}}, "data", "test_fraction"),
        ({"data": {"train_size": 0}}, "data", "train_size must be 1 or more, or null, got 0"),
        ({"data": {"student_per_class": 0}}, "data", "student_per_class must be 1 or more"),
        ({"data": {"train_size": "all"}}, "data.train_size", "'all'"),
        ({"distillation": {"weights": {"at": "x"}}}, "distillation.weights.at", "'x'"),
        ({"routing": {"gamma": "two"}}, "routing.gamma", "'two'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(
    parameters: dict[str, Any], place: str, value: str
) -> None:
    message = complaint(parameters)
    assert place in message
    assert value in message


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"student": {"optimisation": {"lr": math.inf}}}, "student.optimisation.lr.*finite"),
        ({"student": {"augment": {"cutmix": math.inf}}}, "student.augment.cutmix.*finite"),
        ({"distillation": {"weights": {"at": math.inf}}}, "distillation.weights.at.*finite"),
        ({"routing": {"same_family_bias": math.nan}}, "routing.same_family_bias.*finite.*nan"),
        ({"student": {"epochs": True}}, "student.epochs' takes a number, got True"),
        ({"student_lr": {"resnet8": True}}, "student_lr.resnet8' takes a number, got True"),
        ({"grid": {"seeds": [True]}}, "grid.seeds.0' takes a number, got True"),
        ({"grid": {"sweep": {"student.epochs": [True]}}}, "student.epochs takes a number.*True"),
        ({"grid": {"seeds": [0, 2**63]}}, r"grid.seeds.*2\*\*63"),
        ({"threads": 2**31}, "threads must be 1 to .*2147483648"),
    ],
    ids=str,
)
def test_numbers_with_which_nothing_can_be_computed_are_refused(
    raw: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        parse_parameters(raw)
