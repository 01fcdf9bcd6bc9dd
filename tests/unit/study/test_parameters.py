"""Parameters are parsed once; wrong ones are refused with place, value and remedy."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from kedro.config import OmegaConfigLoader

from sakd.data import Augment
from sakd.distillers import DISTILLERS
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.networks import build_network
from sakd.objectives import Player
from sakd.settings import CONFIG_LOADER_ARGS
from sakd.study.parameters import Parameters, parse_parameters
from sakd.training.optimisation import Updates

Load = Callable[..., dict[str, Any]]


def updates(parameters: Parameters, epochs: int) -> Updates:
    """Make the updates of a single weight of a student."""
    weight = torch.nn.Parameter(torch.zeros(1))
    return Updates(Player([weight], parameters.student.optimisation), epochs)


@pytest.fixture
def load(root: Path) -> Load:
    """Read the parameters of an environment as a run does, with those of a command line."""

    def read(env: str, **command_line: Any) -> dict[str, Any]:
        loader = OmegaConfigLoader(
            str(root / "conf"), env=env, runtime_params=command_line, **CONFIG_LOADER_ARGS
        )
        return loader["parameters"]

    return read


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


def test_the_smoke_environment_names_only_what_it_changes(load: Load) -> None:
    smoke, base = parse_parameters(load("smoke")), parse_parameters(load("local"))
    assert smoke.data == base.data
    assert smoke.distillation.weights == base.distillation.weights
    assert set(smoke.grid.distillers) == set(DISTILLERS)
    assert smoke.student.epochs == 1


@pytest.mark.parametrize(
    "env", ["local", "smoke", "cifar10", "cifar100", "tiny_imagenet", "imagenet", "own"]
)
def test_every_environment_parses(load: Load, env: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse_parameters(load(env))


@pytest.mark.parametrize(
    ("env", "pairs", "padding"), [("cifar10", 4, 4), ("cifar100", 10, 4), ("tiny_imagenet", 5, 0)]
)
def test_the_environments_of_the_paper_have_its_pairs_and_its_protocol(
    load: Load, env: str, pairs: int, padding: int
) -> None:
    parameters = parse_parameters(load(env))
    assert len(parameters.grid.pairs) == pairs
    assert parameters.routing.gamma == (2 if env == "tiny_imagenet" else None)
    assert parameters.student.augment == Augment(crop_padding=padding, flip=True)
    assert parameters.teacher.epochs == parameters.student.epochs == 240
    rates = {"MobileNetV2": 0.01} if env != "cifar10" else {}
    assert rates.items() <= parameters.student_lr.items()
    assert parameters.student_recipe("vgg8") == parameters.student


def test_imagenet_is_streamed_and_its_rate_falls_after_30_60_and_90_epochs(load: Load) -> None:
    parameters = parse_parameters(load("imagenet"))
    assert parameters.data.streamed
    assert parameters.student.epochs == 100
    player = updates(parameters, 100)
    assert sorted(player.schedule.milestones) == [30, 60, 90]
    own = {"name": "folder", "path": "pets", "test_fraction": 0.2}
    assert parse_parameters(load("imagenet", data=own)).data.slug.startswith("folder_pets_")


@pytest.mark.parametrize(
    ("streamed", "augment", "message"),
    [
        (True, {"crop_padding": 4}, "crop_padding 4: streamed"),
        (False, {"rand_augment": 2}, "rand_augment .*streamed images only"),
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


def test_the_networks_for_ones_own_images_take_them_of_any_size_and_colour(load: Load) -> None:
    for name in {n for p in parse_parameters(load("own")).grid.pairs for n in p.split("/")}:
        for shape in ((1, 28, 28), (3, 64, 64), (3, 33, 50)):
            network = build_network(name, num_classes=3, image_shape=shape)
            assert network(torch.zeros(2, *shape)).shape == (2, 3)


@pytest.mark.parametrize(
    ("data", "label"),
    [
        ({"path": "pictures/my pets"}, r"folder_my_pets_\w{6}"),
        ({"name": "parquet", "path": "pictures/my-pets/"}, r"parquet_my_pets_\w{6}"),
        ({"name": "torchvision:FashionMNIST"}, "torchvision_FashionMNIST"),
        ({"name": "digits"}, "digits"),
    ],
)
def test_the_data_of_the_environment_for_ones_own_are_named_on_the_command_line(
    load: Load, data: dict[str, str], label: str
) -> None:
    parameters = parse_parameters(load("own", data=data))
    assert re.fullmatch(label, parameters.data.slug)
    assert parameters.data.splitting().duplicates == "drop"


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


class TestCifar100:
    """The environment is the published protocol, arXiv:2205.02399, section IV."""

    @pytest.fixture
    def parameters(self, load: Load) -> Parameters:
        return parse_parameters(load("cifar100"))

    @pytest.mark.parametrize("player", ["teacher", "student"])
    def test_networks_are_trained_as_published(self, parameters: Parameters, player: str) -> None:
        training = getattr(parameters, player)
        assert (training.epochs, training.batch_size) == (240, 64)
        optimisation = training.optimisation
        assert optimisation.lr == 0.05
        assert optimisation.momentum == 0.9
        assert optimisation.weight_decay == 5e-4
        assert training.augment.crop_padding == 4
        assert training.augment.flip

    @pytest.mark.parametrize(
        ("epoch", "lr"), [(0, 0.05), (149, 0.05), (150, 0.005), (180, 5e-4), (210, 5e-5)]
    )
    def test_the_rate_falls_after_150_180_and_210_epochs(
        self, parameters: Parameters, epoch: int, lr: float
    ) -> None:
        player = updates(parameters, 240)
        player.update((torch.zeros(1),))
        for _ in range(epoch):
            player.schedule.step()
        assert player.optimiser.param_groups[0]["lr"] == pytest.approx(lr)

    def test_the_loss_is_weighed_as_published(self, parameters: Parameters) -> None:
        distillation = parameters.distillation
        assert distillation.ce_weight == 1
        assert distillation.kd_weight == 1
        published = {"kd": 1, "fitnet": 1, "at": 1000, "sp": 3000, "rkd": 1}
        weights = {name: distillation.weights_of(Method.of(name))[name] for name in published}
        assert weights == published

    def test_the_router_is_trained_as_published(
        self, parameters: Parameters, make_training: Any
    ) -> None:
        training = make_training(
            "at",
            "adaptive",
            routing=parameters.routing,
            optimisation=parameters.student.optimisation,
        )
        assert training.optimisation["student"].lr == 0.05
        assert training.optimisation["router"].lr == 0.025
        assert training.optimisation["router"].weight_decay == 1e-3
        assert (
            training.optimisation["router"].milestones
            == training.optimisation["student"].milestones
        )
        assert parameters.routing.same_family_bias == 10

    @pytest.mark.parametrize(
        ("distiller", "gamma"), [("kd", 1), ("fitnet", 1), ("at", 2), ("sp", 1), ("rkd", 2)]
    )
    def test_gamma_is_the_published_one(
        self, parameters: Parameters, make_training: Any, distiller: str, gamma: float
    ) -> None:
        objective = make_training(distiller, "adaptive", routing=parameters.routing).build(None)
        assert objective.router.gamma == gamma

    def test_images_are_the_published_ones(self, parameters: Parameters) -> None:
        assert parameters.data.dataset().name == "cifar100"
        assert parameters.data.test_fraction is None
        assert parameters.data.student_per_class is None


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
        assert parameters.student.keep_epochs == 10
        assert parameters.grid.distillers == ("kd", "at", "sp", "rkd")

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
        ({"grid": {"distillers": "kd+atn"}}, ["distiller 'atn'", "did you mean 'at'?"]),
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
        ({"student": {"keep_epochs": -1}}, "student", "keep_epochs must not be negative: -1"),
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
