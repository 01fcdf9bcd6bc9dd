"""Trained weights on disk: safetensors, and a JSON card that says what they are."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from sakd.foundation.errors import UserError
from sakd.foundation.files import at_once, write_json

State = Mapping[str, Tensor]
SHOWN = 3


@dataclass(frozen=True)
class Weights:
    """A state dict, and what it is: network, data, metrics, seed, provenance."""

    state: State
    card: Mapping[str, Any] = field(default_factory=dict)

    def sha256(self) -> str:
        """Content hash of the tensors, in order of their names."""
        digest = sha256()
        for name in sorted(self.state):
            tensor = self.state[name].detach().cpu().contiguous()
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


def save_weights(weights: Weights, path: Path) -> None:
    """Write ``path`` (.safetensors) and its card beside it (.json), each at once or not at all."""
    # Copies: what a network holds under two names, the file has twice.
    state = {name: t.detach().cpu().clone().contiguous() for name, t in weights.state.items()}
    with at_once(path) as partial:
        save_file(state, partial)
    write_json(path.with_suffix(".json"), weights.card)


def load_weights(path: Path) -> Weights:
    """Read what `save_weights` wrote.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        state = load_file(path)
        card = json.loads(path.with_suffix(".json").read_text())
    except FileNotFoundError as error:
        raise UserError(f"no weights at {error.filename or path}: train them first") from error
    except (SafetensorError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}): delete it and train again") from error
    return Weights(state, card)


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
