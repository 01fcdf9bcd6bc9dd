"""The costs of networks on this device, measured once for each."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import torch

from sakd.data import DataCard
from sakd.foundation.fingerprint import code_of
from sakd.foundation.machine import describe
from sakd.measures import cost
from sakd.networks.code import network_code
from sakd.networks.variants import slug
from sakd.study.evaluations import Evaluation, Evaluations
from sakd.study.networks import described_network, known_data

logger = logging.getLogger(__name__)


def network_cost(
    name: str,
    card: DataCard,
    device: torch.device,
    kept: Evaluations,
    described: Mapping[str, Any] = MappingProxyType({}),
) -> Mapping[str, float]:
    """Measure what a network costs on ``device``, see `sakd.measures.cost`.

    Args:
        name: The name of the network, from the grid.
        card: The card of the data, which says the size of images and the number of classes.
        device: The device; another one, or another number of threads, is measured by itself.
        kept: Where the result is kept.
        described: The card of its weights, which says what classes it knows; without that, all.

    Raises:
        UserError: There is no such network, or it does not fit the data.
    """
    known = [len(each.classes) for each in known_data(card, described)]
    classes = [len(card.classes)] if set(known) == {len(card.classes)} else known
    sizes = [name, *card.image_shape, *classes]
    code = code_of(cost) | network_code(name)
    facts = [*sizes, code, describe(device), torch.__version__]
    key = sha256(json.dumps(facts).encode()).hexdigest()
    place = f"{card.name}-{slug(name)}-network"
    if found := kept.find(place, key):
        return found.measures
    network = described_network(name, card, described).to(device)
    measures = cost(network, card.image_shape, device)
    kept.save(place, key, Evaluation(measures))
    logger.info(
        "%s: %.0f parameters, %.0f multiplications, %.2f ms for an image here",
        *(name, measures["parameters"], measures["macs"], measures["latency_b1_p50_ms"]),
    )
    return measures
