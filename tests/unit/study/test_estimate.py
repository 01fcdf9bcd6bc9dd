"""The time of trainings is added up from the paces of their kinds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from sakd.study.estimate import Estimator, Waiting
from sakd.study.pace import Pace
from sakd.study.trainings import Training

Make = Callable[..., Training]

EPOCHS, STEPS, KEPT = 2, 5, 1  # of the toys: 36 images in batches of 8
VAL, TEST = 10, 100


def estimator(pace: Callable[[Training, float], Pace], **options: Any) -> Estimator:
    return Estimator(pace, val=VAL, test=TEST, **options)


def same_for_all(**parts: float) -> Callable[[Training, float], Pace]:
    return lambda _training, _patience: Pace(**{"step": 0.0, **parts})


def waiting(*trainings: Training) -> list[Waiting]:
    return [Waiting(training, training.recipe.epochs) for training in trainings]


@pytest.fixture
def row(make_training: Make) -> list[Waiting]:
    return waiting(*(make_training(name) for name in ("kd", "at", "sp", "rkd", "pkt")))


def test_every_training_has_its_own_steps(row: list[Waiting]) -> None:
    estimate = estimator(same_for_all(step=3.0))
    assert estimate.seconds([row], limit=math.inf) == len(row) * EPOCHS * STEPS * 3.0
    assert estimate.seconds([row, row], limit=math.inf) == 2 * len(row) * EPOCHS * STEPS * 3.0


@pytest.mark.parametrize(("pack", "packs"), [(None, 1), (1, 5), (2, 3), (5, 1), (9, 1)])
def test_the_teacher_runs_once_for_a_pack(row: list[Waiting], pack: int | None, packs: int) -> None:
    estimate = estimator(same_for_all(teacher=7.0), pack=pack)
    assert estimate.seconds([row], limit=math.inf) == packs * EPOCHS * STEPS * 7.0


def test_a_teacher_whose_outputs_are_kept_runs_once_for_every_view(row: list[Waiting]) -> None:
    estimate = estimator(same_for_all(teacher=7.0, views=36))
    assert estimate.seconds([row], limit=math.inf) == STEPS * 7.0


def test_validation_follows_every_epoch_and_the_test_all_weights_that_are_kept(
    row: list[Waiting],
) -> None:
    estimate = estimator(same_for_all(measuring=1.0))
    images = EPOCHS * VAL + (KEPT + 1) * TEST
    assert estimate.seconds([row], limit=math.inf) == len(row) * images


def test_no_more_weights_are_kept_than_there_are_epochs(make_training: Make) -> None:
    estimate = estimator(same_for_all(measuring=1.0))
    short = waiting(make_training(keep_epochs=30))
    assert estimate.seconds([short], limit=math.inf) == EPOCHS * VAL + (EPOCHS + 1) * TEST


def test_a_training_that_goes_on_counts_with_the_epochs_that_are_left(
    make_training: Make,
) -> None:
    pace = same_for_all(step=1.0, teacher=1.0, beforehand=50.0)
    begun = replace(*waiting(make_training("kd")), epochs=1)
    assert estimator(pace).seconds([[begun]], limit=math.inf) == STEPS * 2
    assert (
        estimator(pace).seconds([waiting(begun.training)], limit=math.inf)
        == EPOCHS * STEPS * 2 + 50
    )


def test_a_kind_is_timed_once_for_all_seeds(make_training: Make) -> None:
    timed: list[str] = []

    def pace(training: Training, _patience: float) -> Pace:
        timed.append(training.id)
        return Pace(1.0)

    rows = [waiting(make_training("kd", seed=s), make_training("at", seed=s)) for s in (0, 1, 2)]
    assert estimator(pace).seconds(rows, limit=math.inf) == 6 * EPOCHS * STEPS
    assert sorted(timed) == [f"toys-resnet14-resnet8-{name}-always-s0" for name in ("at", "kd")]


class TestWhereTimeIsShort:
    @pytest.fixture
    def clock(self) -> Iterator[float]:
        return count(0.0, 1.0)

    def test_the_kinds_that_are_left_take_the_average_of_the_others(
        self, row: list[Waiting], clock: Iterator[float]
    ) -> None:
        paces = iter((Pace(1.0, 2.0), Pace(3.0, 2.0)))
        estimate = estimator(lambda *_: next(paces), clock=lambda: next(clock))
        assert estimate.seconds([row], limit=2) == EPOCHS * STEPS * (len(row) * 2.0 + 2.0)

    def test_one_kind_is_timed_however_short(
        self, row: list[Waiting], clock: Iterator[float]
    ) -> None:
        paces = iter((Pace(1.0),))
        estimate = estimator(lambda *_: next(paces), clock=lambda: next(clock))
        assert estimate.seconds([row], limit=0) == EPOCHS * STEPS * len(row)

    def test_a_student_alone_does_not_stand_for_those_with_a_teacher(
        self, make_training: Make, clock: Iterator[float]
    ) -> None:
        alone = make_training("none", "none")
        row = waiting(alone, *(make_training(name) for name in ("kd", "at", "sp")))

        def pace(training: Training, _patience: float) -> Pace:
            return Pace(1.0) if training.id == alone.id else Pace(5.0, teacher=1.0)

        estimate = estimator(pace, clock=lambda: next(clock))
        assert estimate.seconds([row], limit=3) == EPOCHS * STEPS * (1 + 3 * 5 + 1)


def test_one_that_fails_is_named_with_its_error_and_takes_no_time(row: list[Waiting]) -> None:
    def pace(training: Training, _patience: float) -> Pace:
        if "sp" in training.id:
            raise RuntimeError("it\n burns")
        return Pace(1.0)

    estimate = estimator(pace)
    assert estimate.seconds([row], limit=math.inf) == (len(row) - 1) * EPOCHS * STEPS
    assert estimate.failures == {"toys-resnet14-resnet8-sp-always-s0": "RuntimeError: it burns"}


def test_where_all_fail_nothing_takes_time(row: list[Waiting]) -> None:
    def pace(_training: Training, _patience: float) -> Pace:
        raise RuntimeError("it burns")

    estimate = estimator(pace)
    assert estimate.seconds([row], limit=math.inf) == 0
    assert len(estimate.failures) == len(row)


def test_nothing_to_do_takes_no_time_and_times_nothing() -> None:
    def pace(_training: Training, _patience: float) -> Pace:
        raise AssertionError

    assert estimator(pace).seconds([[], []], limit=math.inf) == 0
