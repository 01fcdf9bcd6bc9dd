"""Load a model, wherever it lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sakd.data import DataCard
from sakd.deployment.finding import STORE, Epoch, Found, find
from sakd.deployment.model import Model
from sakd.deployment.trust import trusted_name
from sakd.foundation.errors import UserError
from sakd.study.networks import trained_network
from sakd.weights.saved import load_weights


def load(
    model: str | Path, *, network: str | None = None, store: Path = STORE, epoch: Epoch = "last"
) -> Model:
    """Load a trained model, with its classes and its preprocessing.

    Args:
        model: An exported folder, the id of a cell or of a teacher, its folder in the store, or a
            ``.safetensors`` file with a card next to it.
        network: The name of the network; needed for one of your own, ``package.module:function``,
            whose code is never run because a file names it.
        store: Where to look for ids.
        epoch: Of a cell, the epoch whose weights are used: the last, or the one that was best on
            validation.

    Raises:
        UserError: There is no such model, it is not finished, or its files are damaged.
    """
    return load_found(find(model, store, epoch), network)


def load_found(found: Found, network: str | None = None) -> Model:
    """Load the model that was found; see `load`.

    Raises:
        UserError: Its files are damaged, or of another network.
    """
    path = found.path
    weights = load_weights(path, found.remedy)
    try:
        name, data = str(weights.card["network"]), _data(weights.card["data"], found)
        name = trusted_name(name, network, path)
        return Model(trained_network(name, data, weights), name, weights, data)
    except UserError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        place = path.with_suffix(".json")
        raise UserError(f"{place} is damaged ({_said(error)}): {found.remedy}") from error


def _said(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def _data(described: Mapping[str, Any], found: Found) -> DataCard:
    try:
        return DataCard.from_json(described)
    except UserError as error:
        place = found.path.with_suffix(".json")
        raise UserError(f"{place}: {error}, or {found.remedy}") from error
