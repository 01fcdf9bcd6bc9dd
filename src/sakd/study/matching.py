"""Find the state dict of a network in a file, and translate it to the network's own names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor

from sakd.data import DataCard
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.reference_names import Rename, given_names, reference_names
from sakd.study.networks import sketch
from sakd.weights.foreign import read_states
from sakd.weights.saved import State, differences, without

Renames = Mapping[str, str]


def best_state(
    name: str, card: DataCard, network: StagedNetwork, path: Path, renames: Renames
) -> dict[str, Tensor]:
    """Read the state dict in ``path`` that fits ``network`` best, by the network's names.

    After ``renames`` the names may be the network's own or those of RepDistiller. Counters of
    batches that the file lacks are added.

    Args:
        name: The name of the network.
        card: The card of the data.
        network: The network that was built by that name, for that data.
        path: A file that `sakd.weights.foreign.read_states` can read.
        renames: Prefixes of the file's names, and their replacements. Of several state dicts in
            the file, the prefix of one, such as ``teacher.``, chooses it.

    Raises:
        UserError: The file cannot be read, the renames lose a tensor, or several state dicts fit.
    """
    expected = network.state_dict()
    counters = {k: v for k, v in expected.items() if k.endswith("num_batches_tracked")}
    states = {
        place: counters | _best_names(state, network, renames)
        for place, state in _chosen(read_states(path), renames).items()
    }
    fitting = _fitting(states, expected)
    if not fitting and len(states) > 1:
        fitting = _fitting(states, expected, apart_from=class_tensors(name, card))
    if len(fitting) > 1:
        raise UserError(
            f"{path} holds {' and '.join(fitting)}, and each fits {name}: choose one by "
            f"teacher_renames or student_renames, as in {{'{fitting[-1]}.': ''}}"
        )
    common = {place: len(expected.keys() & state.keys()) for place, state in states.items()}
    return states[fitting[0] if fitting else max(common, key=lambda place: common[place])]


def class_tensors(name: str, card: DataCard) -> set[str]:
    """Find the tensors of a network whose shape depends on the number of classes: its head.

    Raises:
        UserError: There is no such network, or it does not fit the data.
    """
    here, other = (
        sketch(name, len(card.classes) + more, card.image_shape).state_dict() for more in (0, 1)
    )
    return {key for key in here if key not in other or here[key].shape != other[key].shape}


def _chosen(states: Mapping[str, State], renames: Renames) -> Mapping[str, State]:
    """Select the ``states`` that ``renames`` name, by their full names in the file; or all."""
    places = [place for place in states if f"{place}." in renames]
    if not places or len(states) == 1:
        return states
    return {p: {f"{p}.{key}": value for key, value in states[p].items()} for p in places}


def _fitting(
    states: Mapping[str, State], expected: State, apart_from: Collection[str] = ()
) -> list[str]:
    """Find the places of the ``states`` that fit, the first of equal ones."""
    found: list[str] = []
    goal = without(expected, apart_from)
    for place, state in states.items():
        known = any(_equal(state, states[other]) for other in found)
        if not known and not differences(without(state, apart_from), goal):
            found.append(place)
    return found


def _equal(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def _best_names(state: State, network: StagedNetwork, renames: Renames) -> dict[str, Tensor]:
    """Rename ``state`` by the known convention that fits the network best."""
    expected = network.state_dict().keys()
    rename = given_names(renames)
    given = _renamed(state, rename)
    if len(given) < len(state):
        name, count = Counter(map(rename, state)).most_common(1)[0]
        raise UserError(
            f"{count} weights of the file would be called {name!r}: correct the renames"
        )
    known = given, *(_renamed(given, rename) for rename in reference_names(network.family))
    return max(known, key=lambda candidate: len(expected & candidate.keys()))


def _renamed(state: State, rename: Rename) -> dict[str, Tensor]:
    return {rename(key): value for key, value in state.items()}
