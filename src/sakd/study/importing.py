"""Load weights from elsewhere into a network of the study, whole or as a start for training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from sakd.data import DataCard
from sakd.foundation.errors import UserError, require
from sakd.foundation.sealing import read_sealed
from sakd.networks.renormalised import Statistics
from sakd.study.matching import Renames, best_state, class_tensors
from sakd.study.networks import fresh_network
from sakd.weights.saved import State, Weights, differences, list_some, without

CARD_REMEDY = "take an intact copy, or remove it if it is not the card of these weights"

REMEDY = "take weights of that network, or translate names by teacher_renames or student_renames"


def import_weights(
    name: str,
    card: DataCard,
    path: Path,
    *,
    renames: Renames | None = None,
    statistics: Statistics | None = None,
) -> Weights:
    """Read finished weights for the network called ``name``, on the data of ``card``.

    Every name and shape must fit; only ``num_batches_tracked`` may be missing. After ``renames``
    the names may be the network's own or those of RepDistiller.

    Args:
        name: The name of the network.
        card: The card of the data, whose classes and channels the weights must fit.
        path: A file that `sakd.weights.foreign.read_states` can read.
        renames: Prefixes of the file's names, and their replacements. Of several state dicts in
            the file, the prefix of one, such as ``teacher.``, chooses it.
        statistics: Mean and std that the network was trained with; None for those of the data.

    Raises:
        UserError: The file cannot be read, holds NaN, or is of another network or other classes.
    """
    network = fresh_network(name, card)
    expected = network.state_dict()
    state = best_state(name, card, network, path, renames or {})
    if wrong := differences(state, expected):
        _check_classes(name, state, expected, class_tensors(name, card))
        raise UserError(f"{path} is not for {name}: {wrong}; {REMEDY}")
    if (clash := other_class(path, card)) is not None:
        remedy = "take a teacher of these classes, fine-tune it as teacher_start"
        theirs = path.with_suffix(".json")
        raise UserError(f"{clash}: {remedy}, or delete {theirs} if only the names differ")
    facts = {"network": name, "data": card.to_json(), "imported_from": path.name}
    facts |= {} if statistics is None else {"statistics": asdict(statistics)}
    return Weights(_typed(path, state, expected), facts)


def import_start(
    name: str, card: DataCard, path: Path, *, renames: Renames | None = None
) -> Weights:
    """Read weights from which the network called ``name`` starts its training here.

    If the file is of other classes than the data, the tensors that depend on the number of classes
    are left out, so they stay fresh. All others must fit.

    Args:
        name: The name of the network.
        card: The card of the data.
        path: A file that `sakd.weights.foreign.read_states` can read.
        renames: As in `import_weights`.

    Returns:
        The weights, without those that stay fresh; their card lists these under ``fresh``.

    Raises:
        UserError: The file cannot be read, holds NaN, or is of another network.
    """
    network = fresh_network(name, card)
    expected = network.state_dict()
    state = best_state(name, card, network, path, renames or {})
    fresh: set[str] = set()
    if differences(state, expected) or other_class(path, card) is not None:
        fresh = class_tensors(name, card)
    kept = without(state, fresh)
    wrong = differences(kept, without(expected, fresh))
    require(not wrong, f"{path} is not for {name}: {wrong}; {REMEDY}")
    facts = {"network": name, "imported_from": path.name, "fresh": sorted(fresh)}
    return Weights(_typed(path, kept, expected), facts)


def _typed(path: Path, state: State, expected: State) -> dict[str, Tensor]:
    """``state`` in the types and the order of ``expected``, all of its values finite."""
    for key, value in state.items():
        require(
            value.is_floating_point() or not expected[key].is_floating_point(),
            f"{path} holds {key} as {value.dtype}, which is not a real number: save the weights "
            "as they were before quantisation",
        )
    typed = {key: state[key].to(value.dtype) for key, value in expected.items() if key in state}
    broken = [key for key, value in typed.items() if not value.isfinite().all()]
    require(
        not broken,
        f"{path} holds NaN or infinity in {list_some(broken)}: its training diverged, so take "
        "another checkpoint",
    )
    return typed


def _check_classes(name: str, state: State, expected: State, head: Collection[str]) -> None:
    for key in head & state.keys():
        theirs, ours = state[key].shape, expected[key].shape
        if len(theirs) == len(ours) and theirs[1:] == ours[1:] and theirs[0] != ours[0]:
            raise UserError(
                f"the weights for {name} are of {theirs[0]} classes, the data has {ours[0]}: "
                "take a teacher of these classes, train one, or fine-tune this one as teacher_start"
            )


def other_class(path: Path, card: DataCard) -> str | None:
    """Find the first class whose name differs between the data and the card next to ``path``.

    Returns:
        The difference in words; None if all are equal, or if the file has no card like those of
        `sakd.weights.saved.save_weights`.

    Raises:
        DamagedError: The card is damaged, so that it does not tell.
    """
    try:
        theirs = list(read_sealed(path.with_suffix(".json"), CARD_REMEDY)["data"]["classes"])
    except (FileNotFoundError, KeyError, TypeError):
        return None
    for number, (there, here) in enumerate(zip(theirs, card.classes, strict=False)):
        if there != here:
            return f"class {number} is {there!r} to {path}, and {here!r} to the data"
    return None
