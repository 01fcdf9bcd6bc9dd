"""The answers of a network are those that its task measures."""

from __future__ import annotations

import pytest
import torch

from sakd.data import ImageSet, Prepared, Splits
from sakd.measures import Predictions, predict
from sakd.measures.names import teacher_id
from sakd.study.networks import fresh_network
from sakd.tasks import CLASSIFICATION


@pytest.fixture(scope="module")
def data(splits: Splits) -> Prepared:
    """More images than a batch of evaluation holds."""
    source = torch.Generator().manual_seed(1)
    images = torch.randint(256, (701, 1, 8, 8), dtype=torch.uint8, generator=source)
    return Prepared(ImageSet(images, torch.randint(3, (701,), generator=source)), splits.card)


@pytest.fixture(scope="module")
def answers(data: Prepared) -> Predictions:
    return predict(CLASSIFICATION, fresh_network("resnet8", data.card), data)


def test_the_right_ones_are_as_many_as_the_task_counts(
    answers: Predictions, data: Prepared
) -> None:
    assert answers.logits.shape == (701, 3)
    assert int(answers.right.sum()) == round(701 * answers.measures["top1"])
    assert torch.equal(answers.labels, data.images.labels)
    assert torch.equal(answers.predicted, answers.logits.argmax(dim=1))


def test_measures_are_those_of_the_network_by_itself(data: Prepared) -> None:
    network = fresh_network("resnet8", data.card)
    answers = predict(CLASSIFICATION, network, data)
    assert answers.measures == CLASSIFICATION.measures(network, data)
    assert not network.training


def test_the_log_probability_is_that_of_the_label(answers: Predictions) -> None:
    for row in (0, 400, 700):
        logits, label = answers.logits[row].double(), answers.labels[row]
        by_hand = logits[label] - logits.exp().sum().log()
        assert float(answers.log_probability[row]) == pytest.approx(float(by_hand), abs=1e-12)


def test_teachers_have_names_of_their_own_among_cells() -> None:
    assert teacher_id("toys", "resnet14") == "toys-resnet14-teacher"
