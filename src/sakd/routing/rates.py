"""How much of a batch a route lets distil, for the log."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sakd.routing.base import Route

GATE_RATE = "gate_rate/"
"""Prefix of the logged shares of samples that distil at a spot; of weights, their means."""

EFFECTIVE_SHARE = "effective_share/"
"""Prefix of the logged effective shares at a spot, of a policy that weighs."""

LABEL_RATE = "label_rate"
"""The name of the logged mean weight of the label losses, of a policy that routes them."""

TRANSFER_RATE = "transfer_rate/"
"""Prefix of the logged mean strengths of transfer between two stages, as parts of the largest."""

TRANSFER_SHARE = "transfer_share"
"""The name of the logged effective share of all strengths, over samples and pairs of stages."""


def rates_of(route: Route, spots: Sequence[str]) -> dict[str, Tensor]:
    """Compute the rates of ``route`` at its ``spots``, by name."""
    rates = _named(GATE_RATE, spots, route.share.float().mean(dim=0))
    if route.share.is_floating_point():
        rates |= _named(EFFECTIVE_SHARE, spots, effective_share(route.share))
    if route.labels is not None:
        rates[LABEL_RATE] = route.labels.mean()
    return rates


def transfer_rates(strengths: Tensor, pairs: Sequence[str]) -> dict[str, Tensor]:
    """Compute the rates of ``strengths`` (B, pairs), each from 0 to 1, by name."""
    rates = _named(TRANSFER_RATE, pairs, strengths.mean(dim=0))
    return {**rates, TRANSFER_SHARE: effective_share(strengths.reshape(-1, 1))[0]}


def effective_share(weights: Tensor) -> Tensor:
    """Compute (sum w)^2 / (B sum w^2) (D,) of ``weights`` (B, D).

    It is 1 for equal weights and n / B for n equal weights among zeros; 0 if all are 0.
    """
    mean, squares = weights.mean(dim=0), (weights * weights).mean(dim=0)
    return mean * mean / squares.clamp(min=torch.finfo(weights.dtype).tiny)


def _named(prefix: str, spots: Sequence[str], values: Tensor) -> dict[str, Tensor]:
    return {f"{prefix}{spot}": value for spot, value in zip(spots, values, strict=True)}
