"""State dicts in files that others saved: by torch or as safetensors, bare or under some key."""

from __future__ import annotations

import pickle
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sakd.foundation.errors import UserError, require
from sakd.foundation.tensors import load_tensors
from sakd.weights.archives import load_archive

PLAYERS = ("student", "teacher")
"""The networks of a distiller that was saved as a whole, with its losses and adapters."""

WRAPPERS = (
    "state_dict",
    "model",
    "model_state_dict",
    "net",
    "network",
    "weights",
    *PLAYERS,
)
"""The keys under which training scripts save a state dict, next to epochs and optimisers."""

PREFIXES = ("module.", "_orig_mod.")
"""Prefixes that DataParallel and torch.compile add to every name."""

_NUMBERS = {type(np.dtype(code)) for code in "?bhilqBHILQefd"}
_SCALAR = np.float64(0).__reduce__()[0]
READABLE: list[Any] = [
    Namespace,
    np.dtype,
    *_NUMBERS,
    *((_SCALAR, f"numpy.{core}.multiarray.scalar") for core in ("_core", "core")),
]
"""Types that torch may build from a file: plain options, and NumPy's numbers under both names."""


def read_states(path: Path) -> dict[str, dict[str, Tensor]]:
    """Read every state dict in a file, by its place there.

    The place is empty for the file as a whole, ``model`` for the content of that key, and
    ``student`` or ``model.student`` for the names that begin so. `PREFIXES` are removed.

    Only tensors, plain values, options and NumPy's numbers are read; nothing in the file is run.

    Args:
        path: A ``.safetensors`` file, or anything that ``torch.save`` wrote.

    Raises:
        UserError: There is no such file, it is damaged, or it has no state dict.
    """
    content = _read(path)
    states = dict(_find(content, ""))
    for state in states.values():
        _check_plain(state, path)
    if not states:
        keys = ", ".join(map(str, content)) if isinstance(content, Mapping) else "no names"
        raise UserError(
            f"{path} has no state dict: it holds {keys[:200] or 'nothing'}; expected are names "
            f"with tensors, or these under one of {', '.join(WRAPPERS)}"
        )
    return states


def _check_plain(state: Mapping[str, Tensor], path: Path) -> None:
    """Check that tensors hold their values one by one, and in the memory."""
    for name, tensor in state.items():
        fine = tensor.layout is torch.strided and not tensor.is_meta and not tensor.is_nested
        kind = "without its values" if tensor.is_meta else f"as {tensor.layout}"
        require(fine, f"{path} holds {name} {kind}: save it dense, from the CPU")


def _read(path: Path) -> object:
    remedy = "take another copy, or another file of weights"
    try:
        if path.suffix == ".safetensors":
            return load_tensors(path, remedy)
        with torch.serialization.safe_globals(READABLE):
            return load_archive(path, remedy)
    except FileNotFoundError as error:
        raise UserError(f"there are no weights at {path}: correct the path") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder: name the file of the weights in it") from error
    except MemoryError as error:
        found = f"{path} asks for more memory than there is, and may be damaged"
        raise UserError(f"{found}: {remedy}") from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} is not a file of weights, or holds objects of other types, which are not "
            "read: where it comes from, save the state dict alone, "
            "torch.save(model.state_dict(), path)"
        ) from error


def _find(content: object, place: str) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield the state dicts in ``content``, which lies at ``place``."""
    if not isinstance(content, Mapping) or not content:
        return
    if all(isinstance(k, str) and isinstance(value, Tensor) for k, value in content.items()):
        state = _without_prefix(dict(content))
        yield place, state
        for player in PLAYERS:
            if part := {k: state[k] for k in state if k.startswith(f"{player}.")}:
                names = {name.removeprefix(f"{player}."): value for name, value in part.items()}
                yield _join(place, player), _without_prefix(names)
        return
    for key in WRAPPERS:
        yield from _find(content.get(key), _join(place, key))


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in state):
            return _without_prefix({name[len(prefix) :]: state[name] for name in state})
    return state
