"""A training is run once and resumed to the bit; its failure leaves the others alone."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.objectives import Objective
from sakd.objectives.parameters import Distillation
from sakd.study.bench import Bench
from sakd.study.evaluations import Evaluation
from sakd.study.store import CellStore
from sakd.study.train import run_training, run_trainings
from sakd.study.trainings import Training
from sakd.training import Callback, Run
from sakd.training.progress import Progress
from sakd.weights.saved import load_weights

Make = Callable[..., Training]
Same = Callable[[Any, Any], bool]


class Killed(BaseException):
    """A process ends in a step, and nothing is done any more."""


class Interrupted(Progress):
    """A user who presses Ctrl-C at a step, counted over all epochs from 1, or kills the run."""

    def __init__(self, step: int, how: type[BaseException] = KeyboardInterrupt) -> None:
        super().__init__("toys", 1)
        self.step = step
        self.how = how

    def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
        progress = self

        class Key(Callback):
            def on_step(self, run: Run) -> None:
                progress.step -= 1
                if progress.step == 0:
                    raise progress.how

        return (Key(),)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def unbuildable(training: Training, error: BaseException) -> Training:
    def build(_teacher: object) -> Objective:
        raise error

    return replace(training, build=build)


def test_a_training_leaves_record_history_and_weights(
    make_training: Make, bench: Bench, progress: Progress
) -> None:
    training = make_training("kd", "adaptive")
    record = run_training(training, bench, progress)
    entry = bench.entry(training)
    assert entry.record() == record
    assert (record.id, record.key, record.status) == (training.id, training.key, DONE)
    assert record.epochs == 2
    assert record.error is None
    assert record.facts == training.facts
    history = entry.history()
    assert [line["epoch"] for line in history] == [1, 2]
    assert record.val_metric == history[-1]["val_top1"]
    assert {"cross_entropy", "kd", "routing", "gate_rate/logits"} <= history[0].keys()
    assert set(files(entry.folder)) == {
        "record.json",
        "history.csv",
        "routing.parquet",
        "last.safetensors",
        "last.json",
        "best.safetensors",
        "best.json",
        "epochs/0002.safetensors",
        "epochs/0002.json",
    }


@pytest.mark.parametrize("policy", ["always", "random"])
def test_a_policy_that_does_not_tell_images_apart_leaves_no_decisions(
    make_training: Make, bench: Bench, progress: Progress, policy: str
) -> None:
    training = make_training("kd", policy)
    run_training(training, bench, progress)
    assert bench.entry(training).routing() is None


def test_a_training_from_before_decisions_were_counted_goes_on_without_them(
    make_training: Make, bench: Bench
) -> None:
    training = make_training("kd", "adaptive")
    with pytest.raises(KeyboardInterrupt):
        run_training(training, bench, Interrupted(7))
    entry = bench.entry(training)
    state = entry.checkpoints.read(training.key)
    assert state is not None
    del state["tally"]
    entry.checkpoints.write(state)
    assert run_training(training, bench, Progress("toys", 1)).status == DONE
    assert entry.routing() is None


def test_a_finished_training_is_not_run_again(
    make_training: Make, bench: Bench, progress: Progress, caplog: pytest.LogCaptureFixture
) -> None:
    training = make_training()
    record = run_training(training, bench, progress)
    before = files(bench.entry(training).folder)
    caplog.set_level(logging.INFO, logger="sakd")
    again = unbuildable(training, AssertionError("it is trained again"))
    assert run_training(again, bench, progress) == record
    assert files(bench.entry(training).folder) == before
    assert f"{training.id}: done already" in caplog.messages


def test_a_checkpoint_that_a_finished_training_has_left_is_removed(
    make_training: Make, bench: Bench, progress: Progress
) -> None:
    training = make_training()
    run_training(training, bench, progress)
    checkpoints, folder = bench.entry(training).checkpoints, bench.entry(training).folder
    before = files(folder)
    checkpoints.write({"key": training.key})  # a run is killed before it would remove it
    checkpoints.write({"key": training.key})
    assert files(folder) != before
    run_training(training, bench, progress)
    assert files(folder) == before


def test_a_training_of_the_same_name_and_other_content_is_run(
    make_training: Make, bench: Bench, progress: Progress
) -> None:
    run_training(make_training(keep_epochs=2), bench, progress)
    other = make_training(epochs=3, keep_epochs=0)
    record = run_training(other, bench, progress)
    assert record.status == DONE
    assert record.key == other.key
    assert len(bench.entry(other).history()) == 3
    assert not bench.entry(other).epochs.exists()


@pytest.mark.parametrize(
    ("step", "how", "train_teacher"),
    [
        (1, KeyboardInterrupt, False),
        (1, Killed, False),
        (7, KeyboardInterrupt, False),
        (9, Killed, False),
        (12, Killed, False),
        (8, KeyboardInterrupt, True),
        (8, Killed, True),
    ],
)
def test_an_interrupted_training_ends_with_the_same_bits(
    make_training: Make,
    bench: Bench,
    tmp_path: Path,
    same: Same,
    step: int,
    how: type[BaseException],
    train_teacher: bool,
) -> None:
    distillation = Distillation(objective="joint" if train_teacher else "distillation")
    recipe = {"epochs": 3, "keep_epochs": 2, "checkpoint_steps": 2}
    training = make_training("fitnet", "adaptive", distillation=distillation, **recipe)
    undisturbed = replace(bench, store=CellStore(tmp_path / "undisturbed"))
    run_training(training, undisturbed, Progress("toys", 1))

    with pytest.raises(how):
        run_training(training, bench, Interrupted(step, how))
    assert bench.entry(training).record() is None
    run_training(training, bench, Progress("toys", 1))

    ours, theirs = bench.entry(training), undisturbed.entry(training)
    assert set(files(ours.folder)) == set(files(theirs.folder))
    assert ours.history() == theirs.history()
    for name in ("last", "best", "epochs/0002", "epochs/0003"):
        path = f"{name}.safetensors"
        assert same(load_file(ours.folder / path), load_file(theirs.folder / path))


@pytest.mark.parametrize(
    ("how", "every", "repeated"), [(KeyboardInterrupt, 0, 0), (Killed, 0, 4), (Killed, 3, 1)]
)
def test_a_resumed_training_repeats_no_step_before_its_last_checkpoint(
    make_training: Make, bench: Bench, how: type[BaseException], every: int, repeated: int
) -> None:
    training = make_training(epochs=3, checkpoint_steps=every)
    steps = -(-len(training.images) // training.recipe.batch_size)
    with pytest.raises(how):
        run_training(training, bench, Interrupted(2 * steps + 4, how))
    left = Interrupted(1000)
    assert run_training(training, bench, left).status == DONE
    assert 1000 - left.step == steps - 4 + repeated


def test_a_checkpoint_of_other_content_is_not_resumed(
    make_training: Make, bench: Bench, progress: Progress
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_training(make_training(epochs=3), bench, Interrupted(8))
    record = run_training(make_training(), bench, progress)
    assert record.status == DONE
    assert record.epochs == 2


@pytest.mark.parametrize(
    "error", [RuntimeError("it burns"), UserError("this cannot be"), KeyError("a bug of one's own")]
)
def test_a_failure_is_recorded_and_the_others_go_on(
    make_training: Make, bench: Bench, progress: Progress, error: Exception
) -> None:
    broken = run_training(unbuildable(make_training("kd"), error), bench, progress)
    assert broken.status == FAILED
    assert broken.error == f"{type(error).__name__}: {error}"
    assert broken.val_metric is None
    assert run_training(make_training("sp"), bench, progress).status == DONE


def test_an_error_of_the_disk_is_raised_as_the_others_would_fail_too(
    make_training: Make, bench: Bench, progress: Progress
) -> None:
    training = make_training()
    with pytest.raises(OSError, match="no space left"):
        run_training(unbuildable(training, OSError("no space left")), bench, progress)
    assert bench.entry(training).record() is None


def test_a_finished_training_that_has_lost_its_weights_gets_the_same_ones_again(
    make_training: Make, bench: Bench, progress: Progress, same: Same
) -> None:
    training = make_training()
    run_training(training, bench, progress)
    entry = bench.entry(training)
    bench.store.evaluations.save(training.id, training.key, Evaluation({"test_top1": 0.5}))
    before = load_file(entry.last)
    entry.last.unlink()
    assert run_training(training, bench, progress).status == DONE
    assert same(load_file(entry.last), before)
    # On a GPU they are not quite the same, and what was measured was the others.
    assert bench.store.evaluations.find(training.id, training.key) is None


def test_a_training_that_another_run_is_at_is_left_to_it(
    make_training: Make, bench: Bench, progress: Progress
) -> None:
    training = make_training()
    refused = pytest.raises(UserError, match=r"another run .* wait")
    with bench.entry(training).claimed(), refused:
        run_training(training, bench, progress)
    assert not bench.entry(training).folder.exists()


def test_a_training_that_another_row_shares_comes_last_and_is_waited_for(
    make_training: Make, bench: Bench
) -> None:
    alone, taught = make_training("none", "none"), make_training()
    with ExitStack() as claim:
        claim.enter_context(bench.entry(alone).claimed())

        class Finished(Progress):
            """Another run, which ends once the row's own training is done."""

            def done(self) -> None:
                claim.close()
                super().done()

        records = run_trainings([alone, taught], bench, Finished("toys", 2))
    assert [(record.id, record.status) for record in records] == [
        (alone.id, DONE),
        (taught.id, DONE),
    ]


def test_errors_of_the_user_are_logged_in_one_line_and_others_with_a_traceback(
    make_training: Make, bench: Bench, progress: Progress, caplog: pytest.LogCaptureFixture
) -> None:
    run_training(unbuildable(make_training(), UserError("this cannot be")), bench, progress)
    run_training(unbuildable(make_training(), RuntimeError("it burns")), bench, progress)
    mendable, other = caplog.records
    assert mendable.getMessage() == f"{make_training().id} failed: UserError: this cannot be"
    assert not mendable.exc_info
    assert other.exc_info


def test_a_training_that_diverges_is_recorded_with_its_diverging_term(
    make_training: Make, bench: Bench, progress: Progress
) -> None:
    wild = replace(make_training().recipe.optimisation, lr=1e9)
    training = make_training(optimisation=wild)
    record = run_training(training, bench, progress)
    assert record.status == FAILED
    assert re.search(r"cross_entropy is (nan|inf) in epoch \d", record.error or "")
    assert bench.entry(training).record() == record
    assert not bench.entry(training).last.exists()


def test_a_training_that_was_not_finite_starts_again_from_nothing(
    make_training: Make, bench: Bench, progress: Progress, same: Same, tmp_path: Path
) -> None:
    training = make_training("none", "none", checkpoint_steps=1)

    def spoilt(teacher: Any) -> Objective:
        objective = training.build(teacher)
        objective.network.register_forward_hook(lambda *found: found[2] * math.nan)
        return objective

    failed = run_training(replace(training, build=spoilt), bench, progress)
    assert "nan" in (failed.error or "")
    assert run_training(training, bench, progress).status == DONE
    alone = replace(bench, store=CellStore(tmp_path / "alone"))
    run_training(training, alone, progress)
    weights = [load_file(place.entry(training).last) for place in (bench, alone)]
    assert same(*weights)


def test_a_failed_training_is_tried_again(
    make_training: Make, bench: Bench, progress: Progress
) -> None:
    training = make_training()
    assert (
        run_training(unbuildable(training, RuntimeError("out")), bench, progress).status == FAILED
    )
    assert run_training(training, bench, progress).status == DONE
    assert bench.entry(training).finished(training.key) is not None


@pytest.mark.parametrize("damaged", [["checkpoint.pt"], ["checkpoint.pt", "previous.pt"]])
def test_a_training_with_damaged_checkpoints_ends_with_the_same_bits(
    make_training: Make,
    bench: Bench,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damaged: list[str],
) -> None:
    training = make_training("kd", "adaptive", epochs=3)
    with pytest.raises(KeyboardInterrupt):
        run_training(training, bench, Interrupted(12))
    for name in damaged:
        path = bench.entry(training).folder / name
        content = path.read_bytes()
        path.write_bytes(content[:2000] + bytes(500) + content[2500:])
    assert run_training(training, bench, Progress("toys", 1)).status == DONE
    assert [name for name in damaged if f"{name} is damaged" in caplog.text] == damaged
    alone = replace(bench, store=CellStore(tmp_path / "alone"))
    run_training(training, alone, Progress("toys", 1))
    for name in ("last.safetensors", "best.safetensors", "history.csv"):
        found, expected = (b.entry(training).folder / name for b in (bench, alone))
        assert found.read_bytes() == expected.read_bytes()


def test_a_finished_training_with_damaged_weights_is_trained_again_to_the_same_bits(
    make_training: Make, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    training = make_training()
    run_training(training, bench, Progress("toys", 1))
    weights = bench.entry(training).last
    content = weights.read_bytes()
    weights.write_bytes(content[:500] + bytes(64) + content[564:])
    assert run_training(training, bench, Progress("toys", 1)).status == DONE
    assert weights.read_bytes() == content
    assert f"{training.id}: last.safetensors is damaged: trained again" in caplog.messages


def test_the_card_of_a_resumed_training_has_its_metrics(make_training: Make, bench: Bench) -> None:
    training = make_training(epochs=3)
    with pytest.raises(KeyboardInterrupt):
        run_training(training, bench, Interrupted(12))
    run_training(training, bench, Progress("toys", 1))
    entry = bench.entry(training)
    assert load_weights(entry.last).card["metrics"] == entry.history()[2]
