"""Check states from which trainings go on: files may be forged, or of another training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from sakd.foundation.errors import UserError, require
from sakd.foundation.machine import out_of_memory
from sakd.foundation.options import require_type
from sakd.foundation.text import printable

FORM: Mapping[str, Any] = {
    "history": tuple[Mapping[str, float], ...],
    "phase": int,
    "taken": int,
    "means": tuple[Any, ...],
}
"""The types of what a state holds, besides the states of the players and of the objective."""

NEW = FORM.keys() - {"history"}
"""Entries that states of earlier versions lack, all of them."""

FREE = {"params", "lr", "foreach", "fused", "capturable", "differentiable"}
"""What may change in an optimiser: its rate, and how its device computes."""


class StateError(UserError):
    """A state that no such training can have left."""


@contextmanager
def foreign_states() -> Iterator[None]:
    """Take what fails in the context for the fault of the state that is restored in it.

    Raises:
        StateError: In place of an error, unless the system or a lack of memory is to blame.
    """
    try:
        yield
    except (StateError, OSError):
        raise
    except Exception as error:
        if out_of_memory(error):
            raise
        reason = printable(" ".join(str(error).split())) or type(error).__name__
        raise StateError(f"the state is not of this training ({reason})") from error


def phase_of(state: Mapping[str, Any], spans: Sequence[range]) -> int:
    """Give the number of the phase that ``state`` is of, whose epochs ``spans`` has.

    Raises:
        UserError: No training with these phases can have left the state.
    """
    found = NEW & state.keys()
    require(not found or found == NEW, f"it has no {', '.join(sorted(NEW - found))}")
    for name in FORM.keys() & state.keys():
        require_type(name, state[name], FORM[name])
    epochs = [record["epoch"] for record in state["history"]]
    ended, last = len(epochs), spans[-1].stop
    require(epochs == list(range(1, ended + 1)), f"its epochs are {epochs}")
    taken = state.get("taken", 0)
    fine = ended + (taken > 0) <= last and taken >= 0
    require(fine, f"it is of step {taken} after epoch {ended}, of {last} epochs")
    known = [k for k, span in enumerate(spans) if ended in span or ended - 1 in span]
    phase: int = state.get("phase", known[0])
    require(phase in known, f"it is of phase {phase} after epoch {ended}")
    own = ended - spans[phase].start
    for player in state["players"].values():
        count = player.get("ended", own)
        require(count == own, f"a player has ended {count} epochs")
    return phase


def check_tensors(given: Mapping[str, Any], own: Mapping[str, Tensor]) -> None:
    """Check that tensors of a state may take the place of those that are there.

    Raises:
        UserError: One is of another type or shape, or has lost its finite values.
    """
    for name in given.keys() & own.keys():
        value, fresh = given[name], own[name]
        require(isinstance(value, Tensor), f"{name} is no tensor")
        require(value.dtype == fresh.dtype, f"{name} is of {value.dtype}, not {fresh.dtype}")
        require(value.shape == fresh.shape, f"{name} is of the shape {tuple(value.shape)}")
        lost = bool(fresh.isfinite().all()) and not value.isfinite().all()
        require(not lost, f"{name} is not finite")


def check_optimiser(state: Mapping[str, Any], optimiser: torch.optim.Optimizer) -> None:
    """Check that ``state`` may have been left by an ``optimiser`` like this one.

    Raises:
        UserError: A setting, or the form of a tensor, is another.
    """
    groups = optimiser.state_dict()["param_groups"]
    for given, own in zip(state["param_groups"], groups, strict=True):
        for name in own.keys() - FREE:
            require(given[name] == own[name], f"{name} is {given[name]}, not {own[name]}")
        rate = float(given["lr"])
        require(0 <= rate < torch.inf, f"the learning rate is {rate}")
    parameters = [each for group in optimiser.param_groups for each in group["params"]]
    parts = _parts(optimiser)
    for place, found in state["state"].items():
        require(place in range(len(parameters)), f"there is no parameter {place}")
        require(found.keys() == parts, f"the optimiser keeps {sorted(found)}")
        for name, value in found.items():
            _check_part(f"{name} of parameter {place}", value, parameters[place])


def _check_part(name: str, value: object, parameter: Tensor) -> None:
    if value is None:
        return
    if not isinstance(value, Tensor):
        raise UserError(f"{name} is no tensor")
    fine = value.is_floating_point() and value.shape in (parameter.shape, ())
    require(fine, f"{name} is of {value.dtype} and of the shape {tuple(value.shape)}")
    require(bool(value.isfinite().all()), f"{name} is not finite")
    counts = value.dim() < parameter.dim()  # the steps
    require(not counts or bool(value >= 0), f"{name} is negative")


def _parts(optimiser: torch.optim.Optimizer) -> Iterable[str]:
    """Name what an optimiser keeps of a parameter, by a step of one like it."""
    one = torch.zeros(1, requires_grad=True)
    one.grad = torch.zeros(1)
    like: Any = type(optimiser)([one])  # type: ignore[call-arg]
    (group,) = like.param_groups
    group |= {n: value for n, value in optimiser.defaults.items() if n == "lr" or n not in FREE}
    like.step()
    found: Mapping[str, Any] = like.state[one]
    return found.keys()
