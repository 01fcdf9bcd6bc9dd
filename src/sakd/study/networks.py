"""Networks for the data at hand, fresh or trained."""

from __future__ import annotations

from sakd.data import DataCard
from sakd.foundation.errors import UserError, require
from sakd.networks import StagedNetwork, build_network, check_fit
from sakd.networks.outside.libraries import without_memory
from sakd.networks.renormalised import OwnStatistics, Statistics
from sakd.weights.saved import Weights, differences


def fresh_network(name: str, card: DataCard) -> StagedNetwork:
    """The network called ``name`` for the classes and images of the data.

    Raises:
        UserError: there is none of that name, or it does not fit the data.
    """
    return build_network(name, num_classes=len(card.classes), image_shape=card.image_shape)


def trained_network(name: str, card: DataCard, weights: Weights) -> StagedNetwork:
    """The network called ``name`` with ``weights``.

    Where the card of the weights has ``statistics``, the network gets its images by these.

    Raises:
        UserError: the weights are of another network.
    """
    network = fresh_network(name, card)
    wrong = differences(weights.state, network.state_dict())
    require(
        not wrong,
        f"the weights do not fit {name!r}: {wrong}; name the network they are of, or train it anew",
    )
    network.load_state_dict(dict(weights.state))
    if (own := weights.card.get("statistics")) is None:
        return network
    return OwnStatistics(network, Statistics.from_json(own), Statistics(card.mean, card.std))


def sketch(name: str, classes: int, image_shape: tuple[int, int, int]) -> StagedNetwork:
    """The network called ``name``, without memory for its weights where that goes.

    Raises:
        UserError: there is none, or it does not fit.
    """
    return without_memory(lambda: build_network(name, num_classes=classes, image_shape=image_shape))


def check_network_fits(name: str, classes: int, image_shape: tuple[int, int, int]) -> None:
    """See that the network called ``name`` takes images (C, H, W) of so many classes.

    Raises:
        UserError: it does not.
    """
    try:
        check_fit(sketch(name, classes, image_shape), image_shape, classes)
    except UserError as error:
        told = str(error).removeprefix(f"{name}: ")
        raise UserError(f"{name}: {told}") from error
