"""Methods with phases in a study: epochs enough, resume, records, packs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from safetensors.torch import load_file

from sakd.data import Splits
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE
from sakd.study.bench import Bench
from sakd.study.memory import needs
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.study.phases import check_phases
from sakd.study.train import run_trainings
from sakd.study.trainings import Training
from sakd.training import Callback, Run
from sakd.training.progress import Progress

Make = Callable[..., Training]
EPOCHS = 5
METHODS = [("sskd", "adaptive"), ("kd", "always"), ("projection", "adaptive")]


@pytest.fixture
def trainings(make_training: Make) -> list[Training]:
    """Make the trainings of a row, two of them with phases."""
    return [make_training(*method, epochs=EPOCHS, keep_epochs=2) for method in METHODS]


def study(distiller: str, epochs: int, **more: Any) -> Parameters:
    grid = {"pairs": ["resnet14/resnet8"], "distillers": ["kd", distiller]}
    return parse_parameters({"grid": grid, "student": {"epochs": epochs}, **more})


@pytest.mark.parametrize(
    ("distiller", "epochs", "names", "more"),
    [
        ("sskd", 3, "stage1, stage2, stage3, head", {}),
        ("projection", 1, "projection, labels", {}),
        (
            "projection",
            5,
            "projection, labels",
            {"distillation": {"options": {"projection": {"share": 0.01}}}},
        ),
    ],
)
def test_too_few_epochs_for_a_method_are_refused(
    distiller: str, epochs: int, names: str, more: dict[str, Any], splits: Splits
) -> None:
    pattern = rf"{distiller!r} on resnet14/resnet8, student.epochs: {epochs} .* {names}: take"
    with pytest.raises(UserError, match=pattern):
        check_phases(study(distiller, epochs, **more), splits.card)


def test_enough_epochs_pass(splits: Splits) -> None:
    check_phases(study("sskd", 4), splits.card)


def test_an_assistant_that_has_too_few_epochs_for_its_method_is_refused(splits: Splits) -> None:
    taught = parse_parameters(
        {
            "grid": {"pairs": ["resnet20/resnet14/resnet8"], "distillers": ["kd"]},
            "assistants": {"distiller": "sskd"},
            "teacher": {"epochs": 3},
        }
    )
    pattern = "assistants.distiller 'sskd' on resnet20/resnet14, its epochs: 3 .* head: take"
    with pytest.raises(UserError, match=pattern):
        check_phases(taught, splits.card)
    check_phases(replace(taught, teacher=replace(taught.teacher, epochs=4)), splits.card)


class Press(Progress):
    """A user who presses Ctrl-C in the first epoch of a phase."""

    def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
        """Give a callback that presses."""

        class Key(Callback):
            def on_step(self, run: Run) -> None:
                if len(run.history) == 3 and "sskd" in name:
                    raise KeyboardInterrupt

        return (Key(),)


def test_cells_resume_between_phases_and_end_with_the_bits_of_each_alone(
    trainings: list[Training], bench: Bench, same: Callable[[Any, Any], bool], tmp_path: Any
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_trainings(trainings, bench, Press("toys", 3))
    assert all(bench.entry(one).checkpoints.read(one.key) for one in trainings)
    records = run_trainings(trainings, bench, Progress("toys", 3))
    assert [record.status for record in records] == [DONE] * 3
    alone = type(bench.store)(tmp_path / "alone")
    other = type(bench)(bench.val, alone, bench.device)
    for training in trainings:
        run_trainings([training], other, Progress("toys", 1))
        here, there = bench.entry(training), other.entry(training)
        assert same(load_file(here.last), load_file(there.last))
        assert here.history() == there.history()
        assert all("val_top1" in record for record in here.history())
    history = bench.entry(trainings[0]).history()
    assert ["sskd" in record for record in history] == [True] * 4 + [False]


def test_the_memory_of_the_largest_phase_counts(trainings: list[Training], bench: Bench) -> None:
    training = trainings[0]
    objective = training.build(training.teacher())
    (batch, *_) = bench.stream(training).epoch(0)
    whole = needs(objective, batch)
    single = []
    for problem in objective.problems:
        objective.enter(list(objective.problems).index(problem))
        single.append(needs(problem, batch).passing)
    assert whole.passing == max(single)
