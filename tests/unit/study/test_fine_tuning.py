"""Trainings that start from weights of a file, with a fresh head if the classes differ."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import Splits
from sakd.foundation.errors import UserError
from sakd.foundation.randomness import seeded
from sakd.networks import build_network
from sakd.objectives.parameters import Distillation, Routing
from sakd.pipelines.students.nodes import train_row
from sakd.pipelines.teacher.nodes import make_teacher
from sakd.study.grid import Cell
from sakd.study.importing import import_start
from sakd.study.lessons import Lessons
from sakd.study.networks import fresh_network, started_network
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.recipe import Recipe
from sakd.study.store import DONE, CellStore
from sakd.study.trainings import Training, cell_training, teacher_training
from sakd.weights.saved import Weights, load_weights, save_weights

HEAD = ["head.bias", "head.weight"]
Same = Callable[[Any, Any], bool]


@pytest.fixture
def pretrained(tmp_path: Path) -> Callable[..., Path]:
    """Write weights of a network of so many classes, as a training script would."""

    def write(network: str = "resnet8", classes: int = 10) -> Path:
        with seeded(99):
            built = build_network(network, num_classes=classes, image_shape=(1, 8, 8))
        file = tmp_path / f"{network}.pth"
        torch.save({"model": built.state_dict()}, file)
        return file

    return write


def content(file: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(file)["model"]
    return state


def test_all_but_the_head_is_read_from_weights_of_other_classes(
    pretrained: Callable[..., Path], splits: Splits
) -> None:
    file = pretrained(classes=10)
    start = import_start("resnet8", splits.card, file)
    assert start.card["fresh"] == HEAD
    assert start.state.keys() | set(HEAD) == content(file).keys()
    network = started_network("resnet8", splits.card, start).state_dict()
    assert network["head.weight"].shape == (3, 64)
    assert all(torch.equal(network[key], content(file)[key]) for key in start.state)


def test_weights_of_as_many_classes_are_read_whole(
    pretrained: Callable[..., Path], splits: Splits, same: Same
) -> None:
    file = pretrained(classes=3)
    start = import_start("resnet8", splits.card, file)
    assert start.card["fresh"] == []
    assert same(start.state, content(file))


def test_the_head_is_fresh_if_the_card_names_other_classes(
    splits: Splits, tmp_path: Path, pretrained: Callable[..., Path]
) -> None:
    card, file = splits.card, tmp_path / "a.safetensors"
    state = content(pretrained(classes=3))
    for classes, fresh in ((card.classes, []), (("ape", "bee", "cat"), HEAD)):
        save_weights(Weights(state, {"data": replace(card, classes=classes).to_json()}), file)
        assert import_start("resnet8", card, file).card["fresh"] == fresh


def test_weights_of_another_network_are_refused(
    pretrained: Callable[..., Path], splits: Splits
) -> None:
    with pytest.raises(UserError, match=r"resnet14\.pth .*resnet8: .*not expected"):
        import_start("resnet8", splits.card, pretrained("resnet14"))


def test_two_parts_that_fit_but_for_the_head_are_not_guessed_between(
    pretrained: Callable[..., Path], splits: Splits, tmp_path: Path
) -> None:
    state = content(pretrained(classes=10))
    other = {key: value + 1 for key, value in state.items()}
    torch.save({"model": state, "teacher": other}, tmp_path / "both.pth")
    with pytest.raises(UserError, match=r"model and teacher.*student_renames"):
        import_start("resnet8", splits.card, tmp_path / "both.pth")
    chosen = import_start(
        "resnet8", splits.card, tmp_path / "both.pth", renames={"teacher.": ""}
    ).state
    assert all(torch.equal(value, other[key]) for key, value in chosen.items())


def test_a_start_that_lacks_more_than_it_says_is_refused(splits: Splits) -> None:
    state = fresh_network("resnet8", splits.card).state_dict()
    del state["stem.0.weight"]
    with pytest.raises(UserError, match=r"1 missing \(stem\.0\.weight\)"):
        started_network("resnet8", splits.card, Weights(state, {"fresh": []}))


class TestTrainings:
    RECIPE = Recipe(epochs=1, batch_size=8, keep_epochs=0)

    @pytest.fixture
    def start(self, pretrained: Callable[..., Path], splits: Splits) -> Weights:
        return import_start("resnet8", splits.card, pretrained(classes=10))

    @pytest.fixture
    def make(
        self, teacher: Weights, lessons: Lessons, make_cell: Callable[..., Cell]
    ) -> Callable[..., Training]:
        def training(start: Weights | None, *method: object) -> Training:
            given = {"distillation": Distillation(), "routing": Routing(), "start": start}
            return cell_training(make_cell(*method), teacher, lessons, self.RECIPE, **given)

        return training

    def test_the_student_alone_and_every_distillation_start_from_the_same_weights(
        self, make: Callable[..., Training], start: Weights, same: Same
    ) -> None:
        methods = [("none", "none"), ("kd", "always"), ("fitnet", "adaptive")]
        alone, *others = (make(start, *m).build(None).network.state_dict() for m in methods)
        assert all(same(alone, other) for other in others)
        assert all(torch.equal(alone[key], value) for key, value in start.state.items())
        fresh = make(None, "none", "none").build(None).network.state_dict()
        assert all(torch.equal(alone[key], fresh[key]) for key in HEAD)
        rebuilt = make(start, "simkd", "always").build(None).network.state_dict()
        assert torch.equal(rebuilt["stage1.0.conv1.weight"], alone["stage1.0.conv1.weight"])

    def test_another_seed_has_another_head_and_the_same_rest(
        self, make: Callable[..., Training], start: Weights
    ) -> None:
        zero, one = (
            make(start, "kd", "always", seed).build(None).network.state_dict() for seed in (0, 1)
        )
        assert all(torch.equal(zero[key], one[key]) for key in start.state)
        assert not torch.equal(zero["head.weight"], one["head.weight"])

    @pytest.mark.parametrize("method", [("none", "none"), ("kd", "always")])
    def test_the_key_of_a_cell_changes_with_the_start_alone(
        self, make: Callable[..., Training], start: Weights, method: tuple[str, str]
    ) -> None:
        moved = {key: value + 1 for key, value in start.state.items()}
        keys = {make(each, *method).key for each in (None, start, Weights(moved, start.card))}
        assert len(keys) == 3
        assert (
            make(Weights(start.state, {**start.card, "imported_from": "b.pth"}), *method).key
            in keys
        )
        assert "start" not in make(None, *method).facts

    def test_a_teacher_starts_likewise(self, start: Weights, lessons: Lessons) -> None:
        fresh, started = (
            teacher_training("resnet8", 0, lessons, self.RECIPE, each) for each in (None, start)
        )
        assert fresh.key != started.key
        assert fresh.key == teacher_training("resnet8", 0, lessons, self.RECIPE).key
        network = started.build(None).network.state_dict()
        assert all(torch.equal(network[key], value) for key, value in start.state.items())


class TestNodes:
    """Teacher and student start from files of ten classes, on data of three."""

    @pytest.fixture
    def development(self, splits: Splits) -> dict[str, Callable[[], dict[str, Tensor]]]:
        return {"train": splits.train.tensors, "val": splits.val.tensors}

    def parameters(self, **files: Any) -> Parameters:
        recipe = {"epochs": 1, "batch_size": 8, "keep_epochs": 0, "optimisation": {"lr": 1e-30}}
        grid = {"pairs": ["resnet14/resnet8"], "distillers": ["kd"], "policies": ["always"]}
        return parse_parameters({"grid": grid, "teacher": recipe, "student": recipe, **files})

    def test_both_are_trained_further_from_their_files(
        self,
        development: dict[str, Any],
        card: dict[str, Any],
        tmp_path: Path,
        pretrained: Callable[..., Path],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.INFO)
        files = {name: pretrained(name) for name in ("resnet14", "resnet8")}
        parameters = self.parameters(
            teacher_start={"resnet14": str(files["resnet14"])},
            student_weights={"resnet8": str(files["resnet8"])},
        )
        store = CellStore(tmp_path / "cells")
        teacher = make_teacher(
            development, card, store, parameters.teacher_of("resnet14"), parameters
        )
        (row,) = parameters.grid.rows("toys")
        records = train_row(development, card, store, row, parameters, teacher)
        assert [record["status"] for record in records.values()] == [DONE, DONE]
        kept = [
            load_weights(store.entry(row.id, name, record["key"]).last)
            for name, record in records.items()
        ]
        for name, trained in (("resnet14", teacher), *(("resnet8", each) for each in kept)):
            before = content(files[name])
            assert trained.state["head.weight"].shape[0] == 3
            for key in ("stem.0.weight", "stage3.0.conv1.weight"):  # the rate is next to nothing
                assert torch.equal(trained.state[key], before[key])
            said = f"{name} starts from {len(before) - 2} tensors of {name}.pth; fresh: head.bias,"
            assert said in caplog.text

    @pytest.mark.parametrize("parameter", ["teacher_start", "student_weights"])
    def test_a_file_that_does_not_fit_is_refused_before_anything_is_trained(
        self,
        parameter: str,
        development: dict[str, Any],
        card: dict[str, Any],
        tmp_path: Path,
        pretrained: Callable[..., Path],
    ) -> None:
        network = {"teacher_start": "resnet14", "student_weights": "resnet8"}[parameter]
        parameters = self.parameters(**{parameter: {network: str(pretrained("vgg8"))}})
        store = CellStore(tmp_path / "cells")
        with pytest.raises(UserError, match=rf"vgg8\.pth .*{network}"):
            make_teacher(development, card, store, parameters.teacher_of("resnet14"), parameters)
        assert not (tmp_path / "cells").exists()

    @pytest.fixture
    def card(self, splits: Splits) -> dict[str, Any]:
        return splits.card.to_json()
