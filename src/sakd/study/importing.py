"""Weights from elsewhere for a network of ours."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from sakd.data import DataCard
from sakd.foundation.errors import UserError, require
from sakd.networks import StagedNetwork, TracedNetwork
from sakd.networks.reference_names import Rename, given_names, reference_names
from sakd.networks.renormalised import Statistics
from sakd.study.networks import fresh_network
from sakd.weights.foreign import read_state
from sakd.weights.saved import State, Weights, differences

logger = logging.getLogger(__name__)


def import_weights(
    name: str,
    card: DataCard,
    path: Path,
    *,
    renames: Mapping[str, str] | None = None,
    statistics: Statistics | None = None,
) -> Weights:
    """The weights in ``path`` for the network called ``name``, on the data of ``card``.

    Every name and shape must fit; only ``num_batches_tracked`` may be missing. After ``renames``
    the names may be the network's own or those of RepDistiller.

    Args:
        name: of the network.
        card: of the data, whose classes and channels the weights must be made for.
        path: a file that `sakd.weights.foreign.read_state` can read.
        renames: prefixes of the file's names, and what to put in their place.
        statistics: by which the network was trained; None for those of the data.

    Raises:
        UserError: the file cannot be read, or is of another network or of other classes.
    """
    network = fresh_network(name, card)
    expected = network.state_dict()
    state = _best_names(read_state(path), network, renames)
    counters = {key for key in expected if key.endswith("num_batches_tracked")}
    state = {**{key: expected[key] for key in counters}, **state}
    head = network.stage_names[-1]
    head = network.origins[head] if isinstance(network, TracedNetwork) else head
    _check_classes(name, state, expected, head)
    _check_class_names(path, card)
    wrong = differences(state, expected)
    require(not wrong, f"{path} is not for {name}: {wrong}")
    state = {key: state[key].to(value.dtype) for key, value in expected.items()}
    logger.info("%s: %d tensors read from %s", name, len(state), path)
    facts = {"network": name, "data": card.to_json(), "imported_from": path.name}
    return Weights(
        state, facts if statistics is None else facts | {"statistics": asdict(statistics)}
    )


def _best_names(
    state: State, network: StagedNetwork, renames: Mapping[str, str] | None
) -> dict[str, Tensor]:
    """``state`` by the names, of those that are known, that fit the network best."""
    expected = network.state_dict().keys()
    rename = given_names(renames or {})
    given = _renamed(state, rename)
    if len(given) < len(state):
        name, count = Counter(map(rename, state)).most_common(1)[0]
        raise UserError(f"{count} weights of the file would be called {name!r}: mend the renames")
    known = given, _renamed(given, reference_names(network.family))
    return max(known, key=lambda candidate: len(expected & candidate.keys()))


def _renamed(state: State, rename: Rename) -> dict[str, Tensor]:
    return {rename(key): value for key, value in state.items()}


def _check_classes(name: str, state: State, expected: State, head: str) -> None:
    for key in expected:
        if key.startswith(f"{head}.") and key in state:
            theirs, ours = state[key].shape, expected[key].shape
            require(
                theirs[1:] != ours[1:] or theirs[0] == ours[0],
                f"the weights for {name} tell {theirs[0]} classes apart, the data has {ours[0]}: "
                "take a teacher of these classes, or train one",
            )


def _check_class_names(path: Path, card: DataCard) -> None:
    """Compare with the card beside the file, where `sakd.weights.saved.save_weights` wrote both."""
    beside = path.with_suffix(".json")
    try:
        theirs = json.loads(beside.read_text())["data"]["classes"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for number, (there, here) in enumerate(zip(theirs, card.classes, strict=False)):
        found = (
            f"{path} is of a teacher to whom class {number} is {there!r}, and the data has {here!r}"
        )
        remedy = f"take a teacher of these classes, or delete {beside} if only the names differ"
        require(there == here, f"{found}: {remedy}")
