"""A store loses the trainings that nothing uses, and no others."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sakd.foundation.vocabulary import DONE
from sakd.study.bench import Bench
from sakd.study.cleaning import old_trainings, remove
from sakd.study.evaluations import Evaluation
from sakd.study.live import RUNNING, Live
from sakd.study.store import CellStore, Record
from sakd.study.trainings import TEACHERS
from sakd.weights.saved import Weights, save_weights

Add = Callable[..., Path]


@pytest.fixture
def store(bench: Bench) -> CellStore:
    return bench.store


@pytest.fixture
def add(store: CellStore, teacher: Weights) -> Add:
    """Put a finished training with weights into the store, last written at ``changed``."""

    def put(group: str, cell: str, key: str, changed: int = 0, **facts: str) -> Path:
        entry = store.entry(group, cell, key)
        save_weights(replace(teacher, card={}), entry.last)
        entry.finish(Record(cell, key, DONE, facts), [])
        for file in entry.folder.iterdir():
            os.utime(file, (changed, changed))
        return entry.folder

    return put


def test_what_is_used_stays_and_the_rest_is_listed_with_its_size(
    store: CellStore, add: Add
) -> None:
    used, old = add("row", "cell", "a" * 64), add("row", "cell", "b" * 64)
    (found,) = old_trainings(store, {used}, math.inf)
    assert found.folder == old
    assert found.name == f"cell/{'b' * 12}"
    assert found.size == sum(path.stat().st_size for path in old.iterdir()) > 0


def test_what_is_younger_stays(store: CellStore, add: Add) -> None:
    old = add("row", "cell", "a" * 64, changed=1000)
    add("row", "cell", "b" * 64, changed=2000)
    assert [one.folder for one in old_trainings(store, set(), 1500)] == [old]


def test_a_teacher_stays_as_long_as_a_training_that_stays_has_learned_from_it(
    store: CellStore, add: Add, teacher: Weights
) -> None:
    taught = add("row", "cell", "a" * 64, teacher_weights=teacher.sha256())
    own = add(TEACHERS, "teacher", "b" * 64)
    assert old_trainings(store, {taught}, math.inf) == []
    assert {one.folder for one in old_trainings(store, set(), math.inf)} == {taught, own}


@pytest.mark.parametrize("name", ["record.json", "last.safetensors"])
def test_what_is_damaged_is_named_and_counts_as_not_finished(
    store: CellStore,
    add: Add,
    teacher: Weights,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    taught = add("row", "cell", "a" * 64, teacher_weights=teacher.sha256())
    own = add(TEACHERS, "teacher", "b" * 64)
    content = bytearray((own / name).read_bytes())
    content[-9] ^= 1
    (own / name).write_bytes(content)
    assert [one.folder for one in old_trainings(store, {taught}, math.inf)] == [own]
    assert str(own / name) in caplog.text
    (taught / "record.json").write_text("{")
    assert {one.folder for one in old_trainings(store, set(), math.inf)} == {taught, own}


def test_evaluations_and_signs_of_life_are_no_trainings(store: CellStore, add: Add) -> None:
    kept = add("row", "cell", "a" * 64)
    store.evaluations.save("cell", "a" * 64, Evaluation({"top1": 1.0}))
    Live("cell", "row", 1, 2).write(store.root / RUNNING / "cell.json")
    assert store.folders() == [kept]


def test_what_is_removed_goes_with_its_evaluation_and_nothing_else_goes(
    store: CellStore, add: Add
) -> None:
    kept, old = add("row", "cell", "a" * 64), add("row", "cell", "b" * 64)
    for key in ("a" * 64, "b" * 64):
        store.evaluations.save("cell", key, Evaluation({"top1": 1.0}))
    assert remove(store, old_trainings(store, {kept}, math.inf)) == []
    assert store.folders() == [kept]
    assert not old.exists()
    assert store.evaluations.find("cell", "a" * 64) is not None
    assert store.evaluations.find("cell", "b" * 64) is None


def test_what_another_run_holds_stays(store: CellStore, add: Add) -> None:
    held, old = add("row", "one", "a" * 64), add("row", "two", "b" * 64)
    with store.entry("row", "one", "a" * 64).claimed():
        (stays,) = remove(store, old_trainings(store, set(), math.inf))
    assert stays.folder == held
    assert held.exists()
    assert not old.exists()
