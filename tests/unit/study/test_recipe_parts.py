"""Label smoothing and an average of the weights as parts of a recipe, with any way of learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from safetensors.torch import load_file

from sakd.data import Splits
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE
from sakd.study.bench import Bench
from sakd.study.evaluation import Evaluator
from sakd.study.parsing import parse_parameters
from sakd.study.recipe import Recipe
from sakd.study.rehearsal import rehearse_systems
from sakd.study.store import CellStore
from sakd.study.train import run_trainings
from sakd.study.trainings import Training
from sakd.tasks import CLASSIFICATION
from sakd.training import Callback, Run
from sakd.training.progress import Progress

Make = Callable[..., Training]
Same = Callable[[Any, Any], bool]
CELLS = [("none", "none"), ("at", "adaptive"), ("sskd", "always"), ("dml", "always")]
EPOCHS = 5


@pytest.fixture
def row(make_training: Make) -> Callable[..., list[Training]]:
    """Make trainings of many kinds by a recipe."""

    def make(**recipe: Any) -> list[Training]:
        return [make_training(*cell, epochs=EPOCHS, **recipe) for cell in CELLS]

    return make


class Press(Progress):
    """A user who presses Ctrl-C in the fourth epoch of the last cell."""

    def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
        """Give a callback that presses."""

        class Key(Callback):
            def on_step(self, run: Run) -> None:
                if len(run.history) == 3 and number == len(CELLS) - 1:
                    raise KeyboardInterrupt

        return (Key(),)


def test_all_resume_and_run_side_by_side_to_the_bit(
    row: Callable[..., list[Training]], bench: Bench, same: Same, tmp_path: Any
) -> None:
    trainings = row(label_smoothing=0.2, ema=0.9)
    with pytest.raises(KeyboardInterrupt):
        run_trainings(trainings, bench, Press("toys", len(CELLS)))
    assert all(bench.entry(one).checkpoints.read(one.key) for one in trainings)
    records = run_trainings(trainings, bench, Progress("toys", len(CELLS)))
    assert [record.status for record in records] == [DONE] * len(CELLS)
    other = Bench(bench.val, CellStore(tmp_path / "alone"), bench.device)
    for training, record in zip(trainings, records, strict=True):
        run_trainings([training], other, Progress("toys", 1))
        here, there = bench.entry(training), other.entry(training)
        assert same(load_file(here.last), load_file(there.last))
        assert same(load_file(here.average), load_file(there.average))
        assert not same(load_file(here.last), load_file(here.average))
        assert here.history() == there.history()
        assert "ema.safetensors" in record.files


def test_an_average_changes_no_bit_of_the_student_and_is_measured_on_test(
    row: Callable[..., list[Training]], make_cell: Any, bench: Bench, same: Same
) -> None:
    with_it, without = row(ema=0.9), row()
    records = run_trainings(with_it, bench, Progress("toys", len(CELLS)))
    run_trainings(without, bench, Progress("toys", len(CELLS)))
    for one, other in zip(with_it, without, strict=True):
        assert one.key != other.key
        assert same(load_file(bench.entry(one).last), load_file(bench.entry(other).last))
        assert not bench.entry(other).average.exists()
    evaluator = Evaluator(bench.store, bench.val, bench.val, bench.device)  # val stands for test
    for cell, training, record in zip(CELLS, with_it, records, strict=True):
        found = evaluator.cell(make_cell(*cell), record, None, training).measures
        last = bench.entry(training).history()[-1]
        assert found["test_top1_ema"] == last["val_top1_ema"]
        assert found["test_top1"] == last["val_top1"]


def test_smoothing_a_student_alone_is_the_system_of_that_name(
    make_training: Make, bench: Bench, same: Same
) -> None:
    part = make_training("none", "none", label_smoothing=0.1)
    whole = make_training("label_smoothing", "always")
    run_trainings([part, whole], bench, Progress("toys", 2))
    assert same(*(load_file(bench.entry(one).last) for one in (part, whole)))


def test_a_recipe_without_them_has_the_keys_and_the_task_that_it_had(make_training: Make) -> None:
    assert Recipe().task is CLASSIFICATION
    assert make_training(label_smoothing=0.0, ema=0.0).key == make_training().key
    changed = {make_training(**{name: 0.5}).key for name in ("label_smoothing", "ema")}
    assert len(changed | {make_training().key}) == 3


@pytest.mark.parametrize("name", ["label_smoothing", "ema"])
@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_shares_are_checked(name: str, value: float) -> None:
    with pytest.raises(UserError, match=rf"{name} must be from 0 to below 1, got {value}"):
        parse_parameters({"student": {name: value}})


def test_a_system_that_keeps_an_average_itself_is_refused_with_another_one(splits: Splits) -> None:
    grid = {"pairs": "resnet14/resnet8", "distillers": [], "systems": "ema"}
    rehearse_systems(parse_parameters({"grid": grid}), splits.card)
    both = parse_parameters({"grid": grid, "student": {"ema": 0.9}})
    with pytest.raises(UserError, match=r"system 'ema' on .*: set student\.ema to 0"):
        rehearse_systems(both, splits.card)
