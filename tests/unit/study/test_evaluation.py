"""Accuracies on the test split, which is read once, against counts by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from sakd.data import ImageSet, Prepared, Splits
from sakd.foundation.errors import UserError
from sakd.foundation.randomness import seeded
from sakd.foundation.vocabulary import DONE
from sakd.measures import best_temperature, fidelity, predict, quality, robustness
from sakd.measures.quality import LIMITS
from sakd.study.costs import network_cost
from sakd.study.evaluation import Evaluator
from sakd.study.evaluations import Evaluation, Evaluations
from sakd.study.grid import Cell
from sakd.study.networks import fresh_network, trained_network
from sakd.study.store import CellStore, Record
from sakd.tasks import CLASSIFICATION
from sakd.weights.saved import Weights, save_weights

CPU = torch.device("cpu")
ZERO_ONE = {"mean": [0.0], "std": [1.0]}
KINDS = "safetensors", "json"


def evaluate(store: CellStore, cell: Cell, record: Record, test: Prepared) -> Evaluation:
    """Evaluate with the test images for val too, under an untrained teacher."""
    return Evaluator(store, test, test, CPU).cell(cell, record, teacher_of(test))


def teacher_of(test: Prepared) -> Weights:
    with seeded(9):
        return Weights(fresh_network("resnet14", test.card).state_dict())


class TestCell:
    """A cell whose last, best and kept weights are of different networks."""

    @pytest.fixture
    def cell(self, make_cell: Callable[..., Cell]) -> Cell:
        return make_cell()

    @pytest.fixture
    def record(self, cell: Cell) -> Record:
        kept = {f"epochs/{epoch:04d}.{kind}": 1 for epoch in (2, 3) for kind in KINDS}
        return Record(cell.id, "k1", DONE, {}, epochs=4, best_epoch=1, files=kept)

    @pytest.fixture
    def store(self, tmp_path: Path, cell: Cell, splits: Splits) -> CellStore:
        store = CellStore(tmp_path)
        entry = store.entry(cell.row, cell.id, "k1")
        paths = [entry.best, *(entry.epochs / f"{e:04d}.safetensors" for e in (2, 3))]
        for seed, path in enumerate([*paths, entry.last]):
            with seeded(seed):
                state = fresh_network("resnet8", splits.card).state_dict()
            save_weights(Weights(state, {"network": "resnet8"}), path)
        return store

    @pytest.fixture
    def test(self, splits: Splits) -> Prepared:
        """More images than the test split has, so that accuracies differ."""
        source = torch.Generator().manual_seed(1)
        images = torch.randint(256, (97, 1, 8, 8), dtype=torch.uint8, generator=source)
        labels = torch.randint(3, (97,), generator=source)
        return Prepared(ImageSet(images, labels), splits.card)

    def answers(self, seed: int, test: Prepared) -> list[int]:
        """Ask image by image."""
        with seeded(seed):
            state = fresh_network("resnet8", test.card).state_dict()
        network = trained_network("resnet8", test.card, Weights(state)).eval()
        mean, std = test.card.mean[0], test.card.std[0]
        with torch.no_grad():
            pixels = ((image / 255 - mean) / std for image in test.images.images)
            return [int(network(each[None]).argmax()) for each in pixels]

    def accuracy(self, seed: int, test: Prepared) -> dict[str, float]:
        """Count image by image."""
        right: dict[int, list[bool]] = {0: [], 1: [], 2: []}
        for answer, label in zip(self.answers(seed, test), test.images.labels, strict=True):
            right[int(label)].append(answer == int(label))
        recalls = [sum(each) / len(each) for each in right.values()]
        return {"top1": sum(map(sum, right.values())) / 97, "balanced": sum(recalls) / 3}

    def test_last_selected_and_best_differ(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        best, *kept, last = (self.accuracy(seed, test) for seed in range(4))
        found = evaluate(store, cell, record, test).measures
        accuracies = {
            "test_top1": last["top1"],
            "test_top1_val_selected": best["top1"],
            "test_top1_best": max(accuracy["top1"] for accuracy in (best, last, *kept)),
            "test_balanced": pytest.approx(last["balanced"], abs=1e-15),
        }
        assert {name: found[name] for name in accuracies} == accuracies
        assert found["test_top1_best"] >= max(last["top1"], best["top1"])
        assert found["test_balanced"] != found["test_top1"]

    def test_weights_that_the_training_has_not_left_do_not_count(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        labels = torch.tensor(self.answers(1, test))  # those after epoch 2 are always right
        test = replace(test, images=ImageSet(test.images.images, labels))
        found = evaluate(store, cell, replace(record, files={}), test).measures
        assert found["test_top1_best"] == max(found["test_top1"], found["test_top1_val_selected"])
        assert found["test_top1_best"] < 1

    def test_it_is_measured_once(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        found = evaluate(store, cell, record, test)
        shutil.rmtree(store.entry(cell.row, cell.id, "k1").folder)
        again = evaluate(store, cell, record, test)
        assert again.measures == found.measures
        pd.testing.assert_frame_equal(again.images, found.images)

    def test_each_image_has_its_answers_at_the_three_epochs(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        images = evaluate(store, cell, record, test).images
        by_seed = [self.answers(seed, test) for seed in range(4)]
        tops = [self.accuracy(seed, test)["top1"] for seed in range(4)]
        assert images is not None
        assert list(images["predicted"]) == by_seed[3]
        assert list(images["predicted_val_selected"]) == by_seed[0]
        assert list(images["predicted_best"]) == by_seed[tops.index(max(tops))]  # first of equals

    def test_another_training_or_test_split_is_measured_again(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        evaluate(store, cell, record, test)
        shutil.rmtree(store.entry(cell.row, cell.id, "k1").folder)
        other = Prepared(test.images, replace(test.card, sha256="0" * 64))
        with pytest.raises(UserError, match=r"no weights at .*train"):
            evaluate(store, cell, record, other)
        with pytest.raises(UserError, match=r"no weights at .*train"):
            evaluate(store, cell, replace(record, key="k2"), test)
        with pytest.raises(UserError, match=r"no weights at .*train"):
            Evaluator(store, test, test, CPU).cell(cell, record, Weights({}))

    def test_the_last_epoch_is_measured_against_its_teacher_and_calibrated_on_val(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        """It is right on all of val, which asks for the lowest temperature."""
        right, teacher = torch.tensor(self.answers(3, test)), teacher_of(test)
        val = Prepared(test.images.relabelled(right), test.card)
        found = Evaluator(store, test, val, CPU).cell(cell, record, teacher).measures
        with seeded(3):
            student = fresh_network("resnet8", test.card)
        answers = [
            predict(CLASSIFICATION, network, test, corrupt=True)
            for network in (student, trained_network("resnet14", test.card, teacher))
        ]
        fitted = LIMITS[0]
        expected = quality(answers[0], fitted) | fidelity(*answers) | robustness(answers[0])
        expected = {f"test_{name}": value for name, value in expected.items()}
        assert expected.items() <= found.items()
        assert found["temperature"] == fitted
        assert best_temperature(answers[0]) != fitted

    def test_without_corruptions_the_rest_stays_and_nothing_measured_with_them_is_taken(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        found = evaluate(store, cell, record, test).measures
        evaluator = Evaluator(store, test, test, CPU, corruptions=False)
        clean = evaluator.cell(cell, record, teacher_of(test)).measures
        assert clean == {k: v for k, v in found.items() if not k.startswith("test_corrupted")}
        assert evaluate(store, cell, record, test).measures == found

    def test_without_kept_epochs_the_best_is_of_last_and_selected(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        shutil.rmtree(store.entry(cell.row, cell.id, "k1").epochs)
        found = evaluate(store, cell, replace(record, files={}), test).measures
        assert found["test_top1_best"] == max(found["test_top1"], found["test_top1_val_selected"])


class TestCost:
    def test_each_network_is_measured_once_on_a_device(
        self, splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = Evaluations(tmp_path)
        first = network_cost("resnet8", splits.card, CPU, kept)
        assert network_cost("resnet8@resnet14", splits.card, CPU, kept) != first
        monkeypatch.setattr("sakd.study.costs.described_network", None)
        assert network_cost("resnet8", splits.card, CPU, kept) == first

    @pytest.mark.parametrize("change", ["classes", "size", "threads"])
    def test_others_are_measured_again(
        self, splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
    ) -> None:
        kept, card = Evaluations(tmp_path), splits.card
        network_cost("resnet8", card, CPU, kept)
        if change == "threads":
            monkeypatch.setattr("torch.get_num_threads", lambda: 77)
        changes = {"classes": {"classes": tuple("abcd")}, "size": {"height": 16, "width": 16}}
        network_cost("resnet8", replace(card, **changes.get(change, {})), CPU, kept)
        assert len(list(tmp_path.rglob("*.json"))) == 2


class TestTeacher:
    @pytest.fixture
    def test(self, splits: Splits) -> Prepared:
        return Prepared(splits.test, splits.card)

    @pytest.fixture
    def evaluator(self, tmp_path: Path, test: Prepared) -> Evaluator:
        return Evaluator(CellStore(tmp_path), test, test, CPU)

    def test_it_is_evaluated_once(
        self, teacher: Weights, evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        network = trained_network("resnet14", evaluator.test.card, teacher)
        measures = CLASSIFICATION.measures(network, evaluator.test)
        expected = {f"test_{name}": value for name, value in measures.items()}
        first = evaluator.teacher("resnet14", teacher)
        assert {name: first.measures[name] for name in expected} == expected
        assert list(first.images) == ["predicted", "log_probability"]
        monkeypatch.setattr(CLASSIFICATION, "measures", None)
        assert evaluator.teacher("resnet14", teacher).measures == first.measures

    def test_other_weights_statistics_or_images_are_measured_again(
        self, teacher: Weights, evaluator: Evaluator
    ) -> None:
        evaluator.teacher("resnet14", teacher)
        bias = torch.tensor([100.0, 0.0, 0.0])
        for weights in (
            Weights({**teacher.state, "head.bias": bias}),
            Weights({**teacher.state, "head.bias": bias}, {"statistics": ZERO_ONE}),
        ):
            assert set(evaluator.teacher("resnet14", weights).images["predicted"]) == {0}
        relabelled = evaluator.test.images.relabelled(torch.zeros(12, dtype=torch.int64))
        card = replace(evaluator.test.card, sha256="other")
        other = replace(evaluator, test=Prepared(relabelled, card))
        assert other.teacher("resnet14", weights).measures["test_top1"] == 1.0
