"""Accuracies, counted by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch, DataCard, ImageSet, Prepared, Splits
from sakd.data.batches.mixing import Mixture
from sakd.study.networks import fresh_network
from sakd.tasks import CLASSIFICATION, TASKS
from sakd.tasks.smoothing import Smoothed


class Brightness(nn.Module):
    """Class 0 for what is darker than the mean of the data, class 1 for the rest."""

    def forward(self, images: Tensor) -> Tensor:
        value = images.mean(dim=(1, 2, 3))
        return torch.stack([-value, value], dim=1)


@pytest.fixture
def card(splits: Splits) -> DataCard:
    return replace(splits.card, mean=(0.5,), std=(0.25,))


@pytest.mark.parametrize(
    ("labels", "top1", "balanced"),
    [
        ([0, 0, 1, 1], 1.0, 1.0),
        ([1, 1, 0, 0], 0.0, 0.0),
        ([0, 1, 1, 1], 0.75, (1 + 2 / 3) / 2),
        ([0, 2, 2, 2], 0.25, (1 + 0) / 2),
        ([0, 0, 0, 0], 0.5, 0.5),
    ],
    ids=str,
)
def test_accuracy_is_of_all_images_and_on_average_of_each_class_that_has_some(
    card: DataCard, labels: list[int], top1: float, balanced: float
) -> None:
    levels = torch.tensor([0, 100, 200, 255], dtype=torch.uint8)
    images = ImageSet(levels.view(4, 1, 1, 1).expand(4, 1, 8, 8), torch.tensor(labels))
    assert CLASSIFICATION.measures(Brightness(), Prepared(images, card)) == pytest.approx(
        {"top1": top1, "balanced": balanced}, abs=1e-15
    )


def test_top1_counts_every_image_of_many_batches(card: DataCard) -> None:
    levels = torch.tensor([0, 255], dtype=torch.uint8).repeat(600)
    labels = torch.tensor([0, 1]).repeat(600)
    labels[-3:] = 2
    images = ImageSet(levels.view(-1, 1, 1, 1), labels)
    measured = CLASSIFICATION.measures(Brightness(), Prepared(images, card))
    assert measured["top1"] == 1197 / 1200


def test_top1_leaves_the_network_in_evaluation_mode_and_as_it_was(splits: Splits) -> None:
    network = fresh_network("resnet8", splits.card)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    CLASSIFICATION.measures(network.train(), Prepared(splits.test, splits.card))
    assert not network.training
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)


def test_the_best_is_the_first_of_equals_by_the_tasks_order() -> None:
    assert CLASSIFICATION.best([0.25, 0.75, 0.75, 0.5]) == 1

    class Error(type(CLASSIFICATION)):  # type: ignore[misc]
        higher_is_better = False

    assert Error().best([0.5, 0.25, 0.25]) == 1


@pytest.mark.parametrize("name", TASKS)
def test_the_measures_of_a_task_include_its_metric(name: str, splits: Splits) -> None:
    task = TASKS[name]
    network = fresh_network("resnet8", splits.card)
    assert task.metric in task.measures(network, Prepared(splits.val, splits.card), "cpu")


@pytest.mark.parametrize("shares", [None, 0.25, [0.25, 1.0, 0.0, 0.5, 0.875, 0.5]])
def test_the_loss_is_the_mean_of_the_losses_which_are_counted_by_hand(
    shares: float | list[float] | None, small_batch: Callable[..., Batch]
) -> None:
    batch = small_batch(3)
    partner, share = batch.labels.flip(0), torch.tensor(1.0 if shares is None else shares)
    if shares is not None:
        batch = batch._replace(mixture=Mixture(partner, share))
    logits = torch.randn(len(batch.labels), 5)
    chances = logits.softmax(dim=1)
    each = [
        -mine * math.log(row[own]) - (1 - mine) * math.log(row[other])
        for row, own, other, mine in zip(
            chances, batch.labels, partner, share.expand(len(partner)), strict=True
        )
    ]
    losses = CLASSIFICATION.losses(logits, batch)
    torch.testing.assert_close(losses, torch.tensor(each))
    torch.testing.assert_close(CLASSIFICATION.loss(logits, batch), losses.mean())


@pytest.mark.parametrize("share", [torch.tensor(0.25), torch.tensor([0.1, 0.5, 1.0])])
def test_smoothed_labels_of_mixed_images_lose_the_mean_of_their_losses(share: Tensor) -> None:
    logits, labels = torch.randn(3, 4, dtype=torch.float64), torch.tensor([0, 3, 1])
    mixture = Mixture(torch.tensor([2, 0, 1]), share.double())
    batch = Batch(torch.empty(3, 1, 2, 2), labels, torch.arange(3), 0, mixture=mixture)
    task = Smoothed(0.3)
    expected = 0.0
    for row, (own, other) in enumerate(zip(labels, mixture.partner, strict=True)):
        part = mixture.share.expand(3)[row]
        for label, weight in ((own, part), (other, 1 - part)):
            target = torch.full((4,), 0.1, dtype=torch.float64)
            target[label] = 0.7
            expected -= float(weight * (target * logits[row].log_softmax(0)).sum()) / 3
    assert float(task.loss(logits, batch)) == pytest.approx(expected)
    assert float(task.losses(logits, batch).mean()) == pytest.approx(expected)
