"""Every environment parses; those of the paper have its protocol."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, get_args

import pytest
import torch

from sakd.command import study
from sakd.data import Augment
from sakd.distillers import DISTILLERS
from sakd.distillers.method import Method
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import Published
from sakd.networks import build_network
from sakd.objectives import Player
from sakd.reporting.published.entries import entries
from sakd.reporting.published.protocol import PROTOCOLS, departures
from sakd.reporting.tables.settings import named
from sakd.study.grid import Cell
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.sweeps import cells_of, parameters_of
from sakd.training.optimisation import Updates

Load = Callable[..., dict[str, Any]]


def updates(parameters: Parameters, epochs: int) -> Updates:
    """Make the updates of a single weight of a student."""
    weight = torch.nn.Parameter(torch.zeros(1))
    return Updates(Player([weight], parameters.student.optimisation), epochs)


def test_the_smoke_environment_names_its_changes_only(load: Load) -> None:
    smoke, base = parse_parameters(load("smoke")), parse_parameters(load("local"))
    assert smoke.data == replace(base.data, splits="shared")
    assert smoke.distillation.weights == base.distillation.weights
    assert set(smoke.grid.distillers) == set(DISTILLERS)
    assert smoke.student.epochs == 4


@pytest.mark.parametrize(
    "env",
    [
        *("local", "smoke", "cifar10", "cifar100", "tiny_imagenet", "imagenet", "own"),
        *study.ENVIRONMENTS.values(),
    ],
)
def test_every_environment_parses(load: Load, env: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse_parameters(load(env))


@pytest.mark.parametrize("dataset", study.ENVIRONMENTS)
def test_the_study_has_a_good_a_brief_and_a_noisy_teacher_and_every_control(
    load: Load, dataset: str
) -> None:
    raw = load(study.ENVIRONMENTS[dataset])
    parameters = parse_parameters(raw)
    good, brief, noisy = map(parameters.teacher_of, parameters.grid.teachers())
    assert brief.recipe.epochs < good.recipe.epochs == noisy.recipe.epochs
    assert (good.label_noise, brief.label_noise, noisy.label_noise) == (0, 0, 0.4)
    controls = {"always", "adaptive", "random", "random_matched", "anti"}
    assert controls <= set(parameters.grid.policies)
    fast = dict(part.split("=") for part in study.FAST[dataset].split(","))
    shorter = parse_parameters(load(study.ENVIRONMENTS[dataset], **overlaid(raw, fast)))
    assert set(cells_of(shorter)) < set(cells_of(parameters))


def overlaid(raw: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    """Give the groups of parameters in which ``given`` changes values, with these changes."""
    changed: dict[str, Any] = {}
    for name, value in given.items():
        group, _, key = name.partition(".")
        changed.setdefault(group, dict(raw[group]))[key] = value
    return changed


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


@pytest.mark.parametrize("env", ["cifar100", "tiny_imagenet"])
def test_the_environments_of_the_paper_follow_the_protocol_of_its_tables(
    load: Load, env: str
) -> None:
    parameters = parse_parameters(load(env))
    name = parameters.report.published
    assert name == f"sakd-{env}"
    ours = [entry for entry in entries() if entry.dataset == env and entry.kd_weight != 0]
    assert {f"{entry.teacher}/{entry.student}" for entry in ours} == set(parameters.grid.pairs)
    for entry in ours:
        alone = {"student": "none", "teacher": "none"}
        method = alone.get(entry.method, entry.method)
        cell = Cell(env, entry.teacher, entry.student, method, "always", 0)
        settings = named(asdict(parameters_of(cell, parameters)))
        small = ("ResNet50", "MobileNetV2"), ("wrn_40_2", "ShuffleNetV1")
        expected = 32 if method == "nst" and (entry.teacher, entry.student) in small else 64
        assert settings["student.batch_size"] == expected
        for policy in parameters.grid.policies:
            assert departures(settings, name, entry, policy) == []


@pytest.mark.parametrize("env", ["local", "smoke", "cifar10", "imagenet", "own"])
def test_no_other_environment_claims_published_accuracies(load: Load, env: str) -> None:
    assert parse_parameters(load(env)).report.published is None


def test_every_name_of_published_accuracies_has_a_protocol(load: Load) -> None:
    assert set(PROTOCOLS) == set(get_args(Published))
    with pytest.raises(UserError, match=r"published.*sakd-cifar100.*'sakd-mnist'"):
        parse_parameters(load("cifar100", report={"published": "sakd-mnist"}))


def test_imagenet_is_streamed_and_its_rate_falls_after_30_60_and_90_epochs(load: Load) -> None:
    parameters = parse_parameters(load("imagenet"))
    assert parameters.data.streamed
    assert parameters.student.epochs == 100
    player = updates(parameters, 100)
    assert player.falls == [30, 60, 90]
    own = {"name": "folder", "path": "pets", "test_fraction": 0.2}
    assert parse_parameters(load("imagenet", data=own)).data.slug.startswith("folder_pets_")


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
            player.end_epoch()
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
