"""Weights that others saved: state dicts of torch or safetensors, bare or wrapped."""

from __future__ import annotations

import pickle
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sakd.foundation.errors import UserError

WRAPPERS = ("state_dict", "model", "model_state_dict", "net", "network", "teacher", "weights")
"""Under these keys training scripts save a state dict beside other things."""

PREFIXES = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""


def read_state(path: Path) -> dict[str, Tensor]:
    """The state dict in a file: ``.safetensors``, or whatever ``torch.save`` wrote.

    Only tensors, plain values and an argparse namespace beside them are read; nothing in the file
    is run.

    Raises:
        UserError: there is no such file, it is damaged, or there is no state dict in it.
    """
    try:
        content = load_file(path) if path.suffix == ".safetensors" else _load(path)
    except FileNotFoundError as error:
        raise UserError(f"there are no weights at {path}") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder: name the file of the weights in it") from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} is no file of weights, or holds more than weights, which is not read: where "
            "it comes from, save the state dict alone, torch.save(model.state_dict(), path)"
        ) from error
    except (SafetensorError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"{path} is damaged, or no file of weights: {reason}") from error
    state = _find(content)
    if state is None:
        keys = ", ".join(map(str, content)) if isinstance(content, Mapping) else "no names"
        raise UserError(
            f"{path} has no state dict: it holds {keys[:200]}; expected are names with tensors, or "
            f"these under one of {', '.join(WRAPPERS)}"
        )
    return _without_prefix(state)


def _load(path: Path) -> Any:  # noqa: ANN401 - whatever is in the file
    with torch.serialization.safe_globals([Namespace]):
        return torch.load(path, map_location="cpu", weights_only=True)


def _find(content: object) -> dict[str, Tensor] | None:
    if not isinstance(content, Mapping) or not content:
        return None
    if all(isinstance(k, str) and isinstance(value, Tensor) for k, value in content.items()):
        return dict(content)
    inside = (_find(content[key]) for key in WRAPPERS if key in content)
    return next((state for state in inside if state is not None), None)


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in state):
            return _without_prefix({name[len(prefix) :]: state[name] for name in state})
    return state
