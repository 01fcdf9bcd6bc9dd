"""Accuracies on the test split, which is read once, against counts by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sakd.data import ImageSet, Prepared, Splits
from sakd.foundation.errors import UserError
from sakd.foundation.randomness import seeded
from sakd.foundation.vocabulary import DONE
from sakd.study.evaluation import evaluate_cell, evaluate_teacher
from sakd.study.grid import Cell
from sakd.study.networks import fresh_network, trained_network
from sakd.study.store import CellStore, Record
from sakd.tasks import CLASSIFICATION
from sakd.weights.saved import Weights, save_weights

CPU = torch.device("cpu")


class TestCell:
    """A cell whose last, best and kept weights are of different networks."""

    @pytest.fixture
    def cell(self, make_cell: Callable[..., Cell]) -> Cell:
        return make_cell()

    @pytest.fixture
    def record(self, cell: Cell) -> Record:
        return Record(cell.id, "k1", DONE, {}, epochs=4, best_epoch=1)

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

    def accuracy(self, seed: int, test: Prepared) -> dict[str, float]:
        """Count image by image."""
        with seeded(seed):
            state = fresh_network("resnet8", test.card).state_dict()
        network = trained_network("resnet8", test.card, Weights(state)).eval()
        mean, std = test.card.mean[0], test.card.std[0]
        right: dict[int, list[bool]] = {0: [], 1: [], 2: []}
        with torch.no_grad():
            for image, label in zip(test.images.images, test.images.labels, strict=True):
                logits = network(((image / 255 - mean) / std)[None])
                right[int(label)].append(int(logits.argmax()) == int(label))
        recalls = [sum(each) / len(each) for each in right.values()]
        return {"top1": sum(map(sum, right.values())) / 97, "balanced": sum(recalls) / 3}

    def test_last_selected_and_best_differ(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        best, *kept, last = (self.accuracy(seed, test) for seed in range(4))
        found = evaluate_cell(store, cell, record, test, CPU)
        assert found == {
            "test_top1": last["top1"],
            "test_top1_val_selected": best["top1"],
            "test_top1_best": max(accuracy["top1"] for accuracy in (best, last, *kept)),
            "test_balanced": pytest.approx(last["balanced"], abs=1e-15),
        }
        assert found["test_top1_best"] >= max(last["top1"], best["top1"])
        assert found["test_balanced"] != found["test_top1"]

    def test_it_is_measured_once(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        found = evaluate_cell(store, cell, record, test, CPU)
        shutil.rmtree(store.entry(cell.row, cell.id, "k1").folder)
        assert evaluate_cell(store, cell, record, test, CPU) == found

    def test_another_training_or_test_split_is_measured_again(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        evaluate_cell(store, cell, record, test, CPU)
        shutil.rmtree(store.entry(cell.row, cell.id, "k1").folder)
        other = Prepared(test.images, replace(test.card, sha256="0" * 64))
        with pytest.raises(UserError, match=r"no weights at .*train"):
            evaluate_cell(store, cell, record, other, CPU)
        with pytest.raises(UserError, match=r"no weights at .*train"):
            evaluate_cell(store, cell, replace(record, key="k2"), test, CPU)

    def test_without_kept_epochs_the_best_is_of_last_and_selected(
        self, store: CellStore, cell: Cell, record: Record, test: Prepared
    ) -> None:
        shutil.rmtree(store.entry(cell.row, cell.id, "k1").epochs)
        found = evaluate_cell(store, cell, record, test, CPU)
        assert found["test_top1_best"] == max(found["test_top1"], found["test_top1_val_selected"])


def test_a_teacher_is_evaluated_once(
    teacher: Weights, splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test, store = Prepared(splits.test, splits.card), CellStore(tmp_path)
    network = trained_network("resnet14", splits.card, teacher)
    measures = CLASSIFICATION.measures(network, test)
    expected = {f"test_{name}": value for name, value in measures.items()}
    assert evaluate_teacher(store, "resnet14", teacher, test, CPU) == expected
    asked: list[dict[str, float]] = []
    half = {"top1": 0.5, "balanced": 0.25}
    monkeypatch.setattr(CLASSIFICATION, "measures", lambda *_: asked.append(half) or half)
    assert evaluate_teacher(store, "resnet14", teacher, test, CPU) == expected
    assert not asked
    again = {"test_top1": 0.5, "test_balanced": 0.25}
    changed = Weights({**teacher.state, "head.bias": teacher.state["head.bias"] + 1})
    assert evaluate_teacher(store, "resnet14", changed, test, CPU) == again
    other = Prepared(splits.test, replace(splits.card, sha256="other"))
    assert evaluate_teacher(store, "resnet14", teacher, other, CPU) == again
    own = Weights(teacher.state, {"statistics": {"mean": [0.1], "std": [0.2]}})
    assert evaluate_teacher(store, "resnet14", own, test, CPU) == again
    assert len(asked) == 3
