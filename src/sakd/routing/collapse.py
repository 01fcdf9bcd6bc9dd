"""Policies that have stopped choosing."""

from __future__ import annotations

from collections.abc import Mapping

from sakd.routing.rates import (
    EFFECTIVE_SHARE,
    GATE_RATE,
    LABEL_RATE,
    TRANSFER_RATE,
    TRANSFER_SHARE,
)

CLOSED, OPEN = 0.01, 0.99


def collapse(record: Mapping[str, float]) -> str:
    """Name the state that a policy has collapsed to.

    Args:
        record: The means of an epoch by name, with those of `sakd.routing.rates.rates_of`.

    Returns:
        ``always`` if above 99 % of the samples distil at every spot (``always, without labels`` if
        fewer than 1 % learn their label), ``never`` if below 1 %, ``equal weights`` if the
        effective share of weights is above 99 % at every spot, ``one fixed route`` if each spot is
        in one of these states; empty for a policy that chooses.
    """
    rates, effective = (_under(prefix, record) for prefix in (GATE_RATE, EFFECTIVE_SHARE))
    opened = [share > OPEN for share in effective or rates]
    closed = [rate < CLOSED for rate in rates]
    if not rates or not all(o or c for o, c in zip(opened, closed, strict=True)):
        return ""
    if all(closed):
        return "never"
    if not all(opened):
        return "one fixed route"
    if effective:
        return "equal weights"
    unlabelled = record.get(LABEL_RATE, 1.0) < CLOSED
    return "always, without labels" if unlabelled else "always"


def transfer_collapse(record: Mapping[str, float]) -> str:
    """Name the state to which learnt strengths of transfer have collapsed.

    Args:
        record: The means of an epoch by name, with those of `sakd.routing.rates.transfer_rates`.

    Returns:
        ``never`` if all pairs of stages are below 1 % of the most, ``equal weights`` if the
        effective share over samples and pairs is above 99 %; empty otherwise.
    """
    rates = _under(TRANSFER_RATE, record)
    if rates and all(rate < CLOSED for rate in rates):
        return "never"
    return "equal weights" if record.get(TRANSFER_SHARE, 0.0) > OPEN else ""


def _under(prefix: str, record: Mapping[str, float]) -> list[float]:
    return [value for name, value in record.items() if name.startswith(prefix)]
