"""Runs of deterministic operations: what is refused fails alone, what is not enough is redone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
import torch
from torch import nn

from sakd.foundation.sealing import write_sealed
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.objectives import Objective
from sakd.study.bench import Bench
from sakd.study.computing import Computing
from sakd.study.train import run_training, run_trainings
from sakd.study.trainings import Training
from sakd.training.progress import Progress

pytestmark = pytest.mark.usefixtures("usual_operations")

Make = Callable[..., Training]


def put(*_arguments: object) -> None:
    """Call an operation that torch refuses, on a CPU too."""
    torch.zeros(3).put_(torch.tensor([0]), torch.ones(1))


def needy(training: Training) -> Training:
    """Give ``training`` a network that needs such an operation."""

    def build(teacher: Any) -> Objective:
        objective = training.build(teacher)
        objective.network.register_forward_hook(put)
        return objective

    return replace(training, build=build)


def test_a_device_computes_as_it_is_asked_to() -> None:
    assert Computing(device="cpu").find_device() == torch.device("cpu")
    assert not torch.are_deterministic_algorithms_enabled()
    assert Computing(device="cpu", deterministic=True).find_device() == torch.device("cpu")
    assert torch.are_deterministic_algorithms_enabled()


def test_a_training_that_needs_what_is_refused_fails_in_one_line_and_the_others_go_on(
    make_training: Make, bench: Bench, progress: Progress, caplog: pytest.LogCaptureFixture
) -> None:
    trainings = [needy(make_training("none", "none")), make_training("kd")]
    Computing(device="cpu", deterministic=True).find_device()
    failed, done = run_trainings(trainings, bench, progress, 2)
    assert (failed.status, done.status) == (FAILED, DONE)
    assert "put_ " in str(failed.error)
    (line,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert "set it to false" in line.getMessage()
    assert line.exc_info is None


def test_a_teacher_that_needs_what_is_refused_fails_its_students_and_not_the_run(
    make_training: Make, bench: Bench, progress: Progress
) -> None:
    training = make_training("kd")
    assert training.teacher is not None
    teacher = training.teacher()
    next(part for part in teacher.modules() if isinstance(part, nn.Conv2d)).register_forward_hook(
        put
    )
    taught = replace(training, teacher=lambda: teacher)
    Computing(device="cpu", deterministic=True).find_device()
    (record,) = run_trainings([taught], bench, progress)
    assert record.status == FAILED
    assert "put_ " in str(record.error)


def test_what_a_gpu_has_trained_without_it_is_trained_again(
    make_training: Make, bench: Bench, progress: Progress, caplog: pytest.LogCaptureFixture
) -> None:
    training = make_training("none", "none", epochs=1)
    run_training(training, bench, progress)
    entry = bench.entry(training)
    record = entry.record()
    assert record is not None
    on_gpu = replace(record, provenance={**record.provenance, "device": "cuda (a GPU)"})
    write_sealed(entry.outcome, asdict(on_gpu))
    assert entry.finished(training.key) == on_gpu
    Computing(device="cpu", deterministic=True).find_device()
    assert entry.finished(training.key) is None
    assert "deterministic" in caplog.text
