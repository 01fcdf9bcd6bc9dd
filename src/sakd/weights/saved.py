"""Save and load weights: safetensors, with a JSON card that describes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from sakd.foundation.errors import UserError, require
from sakd.foundation.sealing import damaged, read_sealed, write_sealed
from sakd.foundation.tensors import checksum_of, load_tensors, save_tensors, tensors_sha256

State = Mapping[str, Tensor]

FORMAT = 1
"""The version of files and cards: raise it when what they hold changes its meaning."""

OF = "sha256"
"""The entry of a card with the hash of its tensors."""

SHOWN = 3
"""Names that a message lists before it breaks off."""


@dataclass(frozen=True)
class Weights:
    """A state dict, and a card that describes it.

    Attributes:
        state: Tensors by name.
        card: Network, data, metrics, seed, provenance, as plain JSON. It describes and is compared;
            no name in it is imported or called.
    """

    state: State
    card: Mapping[str, Any] = field(default_factory=dict)

    def sha256(self) -> str:
        """Hash names, types, shapes and values of the tensors, in the order of their names.

        The tensors are read once: every cell of a row asks for the hash of the same teacher.
        """
        return self._sha256

    @cached_property
    def _sha256(self) -> str:
        return tensors_sha256(self.state)


def save_weights(weights: Weights, path: Path) -> None:
    """Write the tensors to ``path`` (.safetensors) and the card next to it.

    Each file is written completely or not at all, and has a checksum. The card has its `FORMAT`
    too, and the hash of the tensors that it belongs to.

    Raises:
        OSError: A file cannot be written.
    """
    # Copies: a tensor that a network holds under two names is in the file twice.
    state = {name: t.detach().cpu().clone().contiguous() for name, t in weights.state.items()}
    found = save_tensors(state, path)
    write_sealed(path.with_suffix(".json"), {"format": FORMAT, **weights.card, OF: found})


def load_weights(path: Path, remedy: str = "train again") -> Weights:
    """Read what `save_weights` wrote.

    Args:
        path: The file of the tensors.
        remedy: How to get them again, for messages.

    Raises:
        UserError: A file is missing, damaged, or of another format.
    """
    remedy_here = f"delete it and {remedy}"
    card_file = path.with_suffix(".json")
    try:
        state, card = load_tensors(path, remedy_here), read_sealed(card_file, remedy_here)
    except FileNotFoundError as error:
        if path.exists():
            copied = f"put the card that was written with {path.name} there"
            raise UserError(f"no card at {card_file}: {copied}, or {remedy}") from error
        raise UserError(f"no weights at {path}: {remedy}") from error
    found = card.pop("format", None)
    require(
        found == FORMAT,
        f"the card of {path} is of format {found}, this version reads {FORMAT}: {remedy}, or "
        "use the version that wrote it",
    )
    weights = Weights(state, card)
    if (expected := card.get(OF)) is not None:
        here = checksum_of(path) or weights.sha256()
        if here != expected:
            raise damaged(path, f"its tensors are not those of {card_file.name}", remedy_here)
    return weights


def differences(state: State, expected: State) -> str:
    """Missing, unexpected and mis-shaped tensors, in words; empty if there are none."""
    missing = [key for key in expected if key not in state]
    unexpected = [key for key in state if key not in expected]
    shapes = [
        f"{key} {_size(state[key])} instead of {_size(value)}"
        for key, value in expected.items()
        if key in state and state[key].shape != value.shape
    ]
    found = {"missing": missing, "not expected": unexpected, "of another shape": shapes}
    return "; ".join(
        f"{len(keys)} {what} ({list_some(keys)})" for what, keys in found.items() if keys
    )


def without(state: State, names: Collection[str]) -> dict[str, Tensor]:
    """``state`` without the tensors called ``names``."""
    return {name: tensor for name, tensor in state.items() if name not in names}


def list_some(items: Sequence[str]) -> str:
    """The first few of ``items``, for a message of one line."""
    return ", ".join(items[:SHOWN]) + (", ..." if len(items) > SHOWN else "")


def _size(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "one number"
