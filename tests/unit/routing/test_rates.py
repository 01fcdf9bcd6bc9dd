"""Rates of routes, and the policies that they show to have stopped choosing."""

from __future__ import annotations

import pytest
import torch

from sakd.routing import POLICIES, Route
from sakd.routing.choice import tells_apart
from sakd.routing.collapse import collapse, transfer_collapse
from sakd.routing.rates import effective_share, rates_of, transfer_rates

SPOTS = ("stage1", "logits")


def test_a_choice_has_the_rate_of_every_spot() -> None:
    share = torch.tensor([[True, False], [True, True], [False, False], [False, False]])
    rates = rates_of(Route(share), SPOTS)
    assert rates == {"gate_rate/stage1": 0.5, "gate_rate/logits": 0.25}


def test_weights_have_an_effective_share_and_routed_labels_a_rate() -> None:
    weights = torch.tensor([[2.0, 1.0], [0.0, 3.0]])
    rates = rates_of(Route(weights, labels=torch.tensor([0.0, 0.5])), SPOTS)
    assert {name: float(rate) for name, rate in rates.items()} == pytest.approx(
        {
            "gate_rate/stage1": 1.0,
            "gate_rate/logits": 2.0,
            "effective_share/stage1": 4 / (2 * 4),
            "effective_share/logits": 16 / (2 * 10),
            "label_rate": 0.25,
        }
    )


@pytest.mark.parametrize(
    ("weights", "expected"),
    [([0.0, 0.0, 0.0, 0.0], 0.0), ([7.0] * 4, 1.0), ([0.0, 0.1, 0.0, 0.0], 0.25)],
)
def test_the_effective_share_counts_equal_weights_among_zeros(
    weights: list[float], expected: float
) -> None:
    assert float(effective_share(torch.tensor(weights)[:, None])) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("gates", "effective", "labels", "state"),
    [
        ((1.0, 0.995), (), None, "always"),
        ((1.0, 1.0), (), 0.5, "always"),
        ((1.0, 1.0), (), 0.01, "always"),
        ((1.0, 1.0), (), 0.001, "always, without labels"),
        ((0.0, 0.005), (), None, "never"),
        ((1.0, 0.0), (), None, "one fixed route"),
        ((1.0, 0.5), (), None, ""),
        ((1.0, 0.99), (), None, ""),
        ((0.0, 0.01), (), None, ""),
        ((1.0, 1.0), (1.0, 0.995), None, "equal weights"),
        ((1.0, 1.0), (1.0, 0.99), None, ""),
        ((1.0, 0.001), (1.0, 0.9), None, "one fixed route"),
        ((0.0, 0.001), (0.0, 1.0), None, "never"),
        ((), (), None, ""),
    ],
)
def test_a_policy_that_does_not_choose_is_named_by_its_kind(
    gates: tuple[float, ...], effective: tuple[float, ...], labels: float | None, state: str
) -> None:
    record = {f"gate_rate/{k}": rate for k, rate in enumerate(gates)}
    record |= {f"effective_share/{k}": share for k, share in enumerate(effective)}
    record |= {} if labels is None else {"label_rate": labels}
    assert collapse(record) == state


def test_strengths_of_transfer_have_means_and_one_effective_share() -> None:
    strengths = torch.tensor([[0.25, 0.0], [0.75, 0.0]])
    rates = transfer_rates(strengths, ["stage1-stage1", "stage1-stage2"])
    assert {name: float(rate) for name, rate in rates.items()} == pytest.approx(
        {
            "transfer_rate/stage1-stage1": 0.5,
            "transfer_rate/stage1-stage2": 0.0,
            "transfer_share": 1 / (4 * 0.625),
        }
    )


@pytest.mark.parametrize(
    ("rates", "share", "state"),
    [
        ((0.0, 0.005), 1.0, "never"),
        ((0.0, 0.01), 0.5, ""),
        ((0.5, 0.5), 0.995, "equal weights"),
        ((0.5, 0.5), 0.99, ""),
        ((0.5, 0.5), None, ""),
        ((), None, ""),
    ],
)
def test_a_transfer_that_does_not_choose_is_named_by_its_kind(
    rates: tuple[float, ...], share: float | None, state: str
) -> None:
    record = {f"transfer_rate/{k}": rate for k, rate in enumerate(rates)}
    record |= {} if share is None else {"transfer_share": share}
    assert transfer_collapse(record) == state


def test_coins_and_always_do_not_tell_samples_apart() -> None:
    assert [n for n, kind in POLICIES.items() if not tells_apart(kind)] == ["always", "random"]
