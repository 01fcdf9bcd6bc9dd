"""Networks for the data at hand, fresh or trained."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torch import nn

from sakd.data import DataCard
from sakd.data.splits.restricted import card_of_classes
from sakd.foundation.errors import UserError, require
from sakd.networks import StagedNetwork, build_network, check_fit
from sakd.networks.ensemble import Ensemble, members_of, names_of, parts_of, state_names
from sakd.networks.outside.libraries import without_memory
from sakd.networks.renormalised import OwnStatistics, Statistics
from sakd.weights.saved import Weights, differences, without

MEMBERS, STATISTICS, DATA = "members", "statistics", "data"
"""Entries of a card: the cards of several networks; the statistics that normalise their images; the
card of the data, whose classes are those of the network."""


def fresh_network(name: str, card: DataCard) -> StagedNetwork:
    """Build the network called ``name`` for the classes and images of the data.

    Raises:
        UserError: There is no such network, or it does not fit the data.
    """
    return build_network(name, num_classes=len(card.classes), image_shape=card.image_shape)


def started_network(name: str, card: DataCard, start: Weights | None) -> StagedNetwork:
    """Build the network called ``name`` with the weights from which its training starts.

    Args:
        name: The name of the network.
        card: The card of the data.
        start: The weights, as `sakd.study.importing.import_start` reads them: tensors that their
            card lists under ``fresh`` are missing and stay fresh. None for fresh weights alone.

    Raises:
        UserError: The weights are of another network.
    """
    network = fresh_network(name, card)
    if start is not None:
        load(network, name, start, fresh=start.card["fresh"])
    return network


def trained_network(name: str, card: DataCard, weights: Weights) -> StagedNetwork:
    """Build the network called ``name`` and load ``weights``.

    If the card of the weights has ``statistics``, the network normalises its images by these; of
    several networks each by its own.

    Args:
        name: The name of the network. Take it from parameters, never from a file: a name such as
            ``package.module:function`` is imported and called. The card is only compared with it.
        card: The card of the data.
        weights: The weights with their card; an empty card is not compared.

    Raises:
        UserError: The weights are of another network.
    """
    network = described_network(name, card, weights.card)
    load(network, name, weights)
    if (cards := weights.card.get(MEMBERS)) is not None:
        each = zip(members_of(network), cards, strict=True)
        members = [_renormalised(member, of, card) for member, of in each]
        return Ensemble(members, parts_of(network))
    return _renormalised(network, weights.card, card)


def described_network(name: str, card: DataCard, described: Mapping[str, Any]) -> StagedNetwork:
    """Build the network called ``name`` for the classes with which its weights are described.

    Args:
        name: The name of the network.
        card: The card of the data.
        described: The card of the weights; without classes the network is for all of the data.

    Raises:
        UserError: There is no such network, it does not fit the data, or classes are unknown.
    """
    known = known_data(card, described)
    if all(each.classes == card.classes for each in known):
        return fresh_network(name, card)
    if MEMBERS not in described:
        return fresh_network(name, known[0])
    members = [fresh_network(*each) for each in zip(names_of(name), known, strict=True)]
    parts = [[card.classes.index(one) for one in each.classes] for each in known]
    return Ensemble(members, parts)


def known_data(card: DataCard, described: Mapping[str, Any]) -> list[DataCard]:
    """Describe the data of the classes of a network, or of each of several.

    Args:
        card: The card of all data.
        described: The card of the weights.

    Raises:
        UserError: A class is not among those of the data.
    """
    if (cards := described.get(MEMBERS)) is not None:
        return [known for each in cards for known in known_data(card, each)]
    classes = tuple(described.get(DATA, {}).get("classes", card.classes))
    return [card if classes == card.classes else card_of_classes(card, classes)]


def _renormalised(
    network: StagedNetwork, described: Mapping[str, Any], card: DataCard
) -> StagedNetwork:
    """Let ``network`` normalise its images by the statistics with which it is ``described``."""
    if (own := described.get(STATISTICS)) is None:
        return network
    return OwnStatistics(network, Statistics.from_json(own), Statistics(card.mean, card.std))


def joined(name: str, members: Sequence[Weights]) -> Weights:
    """Join the weights of several networks to those of all of them together.

    Args:
        name: Names their networks, see `sakd.networks.ensemble`.
        members: The weights of each.
    """
    state = {
        f"{state_names(number)}{tensor}": value
        for number, member in enumerate(members)
        for tensor, value in member.state.items()
    }
    card: dict[str, Any] = {"network": name, MEMBERS: [dict(member.card) for member in members]}
    if any(own := [member.card.get(STATISTICS) for member in members]):
        card[STATISTICS] = own
    return Weights(state, card)


def load(
    network: nn.Module,
    name: str,
    weights: Weights,
    *,
    source: object = "the file of weights",
    fresh: Collection[str] = (),
) -> None:
    """Load ``weights`` into a network.

    Args:
        network: The network that was built by ``name``.
        name: The name of the network, from parameters.
        weights: The weights with their card.
        source: The file of the weights, for messages.
        fresh: Tensors that the weights lack, which stay as they are.

    Raises:
        UserError: Their card names another network, or names and shapes of tensors differ.
    """
    said = weights.card.get("network", name)
    remedy = "name the network that they are of, or delete them and train again"
    require(
        said == name,
        f"{source} has a card of the network {said!r}, the parameters name {name!r}: {remedy}",
    )
    wrong = differences(weights.state, without(network.state_dict(), fresh))
    require(not wrong, f"{source} does not fit {name!r}: {wrong}; {remedy}")
    network.load_state_dict(dict(weights.state), strict=not fresh)


def sketch(name: str, classes: int, image_shape: tuple[int, int, int]) -> StagedNetwork:
    """Build the network called ``name``, without memory for its weights where possible.

    Raises:
        UserError: There is no such network, or it does not fit.
    """
    return without_memory(lambda: build_network(name, num_classes=classes, image_shape=image_shape))


def check_network_fits(name: str, classes: int, image_shape: tuple[int, int, int]) -> None:
    """Check that the network called ``name`` takes images (C, H, W) of that many classes.

    Raises:
        UserError: It does not.
    """
    try:
        check_fit(sketch(name, classes, image_shape), image_shape, classes)
    except UserError as error:
        reason = str(error).removeprefix(f"{name}: ")
        raise UserError(f"{name}: {reason}") from error
