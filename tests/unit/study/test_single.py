"""Batches of one image: what cannot learn from them is refused before training, or in one line."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from torch import Tensor, nn

from sakd.data import Splits
from sakd.foundation.errors import UserError
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.objectives import Objective
from sakd.study.bench import Bench
from sakd.study.parsing import parse_parameters
from sakd.study.single import check_single
from sakd.study.train import run_trainings
from sakd.study.trainings import Training
from sakd.training.progress import Progress


@pytest.mark.parametrize(
    ("pair", "change", "complaint"),
    [
        ("resnet8/vgg8", {"student": {"batch_size": 1}}, "student.batch_size 1 of vgg8: .* 2"),
        ("vgg8/resnet8", {"teacher": {"batch_size": 1}}, "teacher.batch_size 1 of vgg8: .* 2"),
        ("vgg8/vgg8", {"student": {"batch_size": 2}}, None),
        ("resnet14/resnet8", {"student": {"batch_size": 1}, "teacher": {"batch_size": 1}}, None),
    ],
)
def test_a_network_whose_batch_norm_has_one_value_is_refused_image_by_image(
    pair: str, change: dict[str, Any], complaint: str | None, splits: Splits
) -> None:
    parameters = parse_parameters({"grid": {"pairs": [pair], "distillers": ["kd"]}, **change})
    if complaint is None:
        check_single(parameters, splits.card)
    else:
        with pytest.raises(UserError, match=complaint):
            check_single(parameters, splits.card)


def one_value(module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
    """Normalise logits over the batch, as a module of a method may do."""
    return nn.functional.batch_norm(output, None, None, training=module.training)


def test_a_training_whose_method_has_such_a_norm_fails_in_one_line_and_the_others_go_on(
    make_training: Callable[..., Training],
    bench: Bench,
    progress: Progress,
    caplog: pytest.LogCaptureFixture,
) -> None:
    trainings = [make_training(*pair, batch_size=1, epochs=1) for pair in (("none",) * 2, ("kd",))]
    build = trainings[0].build

    def normed(teacher: Any) -> Objective:
        objective = build(teacher)
        objective.network.register_forward_hook(one_value)
        return objective

    trainings[0] = replace(trainings[0], build=normed)
    records = run_trainings(trainings, bench, progress, 2)
    assert [record.status for record in records] == [FAILED, DONE]
    (line,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert "batch_size to 2" in line.getMessage()
    assert line.exc_info is None
