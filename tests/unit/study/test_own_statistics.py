"""A teacher gets images normalised by the statistics that it was trained with."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sakd.data import DataCard
from sakd.foundation.errors import UserError
from sakd.networks.renormalised import OwnStatistics, Statistics
from sakd.study.networks import fresh_network, trained_network
from sakd.weights.saved import Weights

DATA = Statistics((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))


def test_a_teacher_gets_images_by_its_own_statistics(card: DataCard) -> None:
    own = Statistics((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    plain = fresh_network("resnet8", card).eval()
    weights = Weights(plain.state_dict(), {"statistics": {"mean": own.mean, "std": own.std}})
    network = trained_network("resnet8", card, weights).eval()
    assert isinstance(network, OwnStatistics)
    pixels = torch.rand(2, 3, 16, 16)

    def by(statistics: Statistics) -> Tensor:
        mean, std = (torch.tensor(v)[:, None, None] for v in (statistics.mean, statistics.std))
        return (pixels - mean) / std

    torch.testing.assert_close(network(by(DATA)), plain(by(own)))
    for k in range(network.depth + 2):
        part = network.run(by(DATA), 0, k)
        assert torch.equal(network.run(part, k) if k else network(part), network(by(DATA)))
    assert torch.equal(network.run(by(DATA), 0, 0), by(DATA))


@pytest.mark.parametrize(("mean", "std"), [((0.5,), (0.2, 0.2)), ((), ()), ((0.5,), (0.0,))])
def test_statistics_that_cannot_normalise_are_refused(
    mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    with pytest.raises(UserError, match="std above 0"):
        Statistics(mean, std)


def test_statistics_of_other_channels_are_refused(card: DataCard) -> None:
    with pytest.raises(UserError, match=r"1 channels.* 3"):
        OwnStatistics(fresh_network("resnet8", card), Statistics((0.5,), (0.5,)), DATA)
