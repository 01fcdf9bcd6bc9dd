"""A recorder for a CPU: a tape of operations, played without the code that made them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sakd.objectives.branches import IN_LINE, Branches
from sakd.training.capture.draws import Draws

Action = Callable[[], None]


class Reel(TorchDispatchMode):
    """Notes every operation with its tensors, and what was in them before."""

    def __init__(self, refused: Mapping[str, Exception]) -> None:
        super().__init__()
        self.refused = refused
        self.acts: list[Action] = []
        self.before: dict[int, tuple[Tensor, Tensor]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._schema.name in self.refused:
            raise self.refused[func._schema.name]
        for x in tree_leaves((args, kwargs)):  # a batch norm overwrites what it does not declare
            if isinstance(x, Tensor):
                self.before.setdefault(x.untyped_storage().data_ptr(), (x, x.clone()))
        result = func(*args, **kwargs)
        own = [r.alias_info is None for r in func._schema.returns]
        made = [result] if len(own) == 1 else list(result or ())
        kept = [x for x, new in zip(made, own, strict=True) if new]

        def act() -> None:
            again = func(*args, **kwargs)
            again = [again] if len(own) == 1 else list(again or ())
            fresh = [x for x, new in zip(again, own, strict=True) if new]
            for old, value in zip(tree_leaves(kept), tree_leaves(fresh), strict=True):
                if isinstance(old, Tensor):
                    old.copy_(value)

        self.acts.append(act)
        return result


class Tape:
    """Records as a GPU does: without an effect, by the places in memory, and for good.

    Attributes:
        plays: How often a step was repeated, by the number of the recording.
        refused: Operations that cannot be recorded, and the error that each of them raises.
    """

    def __init__(self) -> None:
        self.plays: list[int] = []
        self.rehearsals = 0
        self.refused: dict[str, Exception] = {}
        self._reel: Reel | None = None
        self._spoilt: list[torch.Generator] = []

    def rehearse(self, action: Action) -> None:
        self.rehearsals += 1
        action()

    def record(self, action: Action, generators: Iterable[torch.Generator]) -> Action:
        self._reel = reel = Reel(self.refused)
        generators = list(generators)
        states = [(one, one.get_state()) for one in generators]
        self._spoilt += generators  # those of a recording that fails stay in it
        number = len(self.plays)
        try:
            with reel, torch.random.fork_rng():
                action()
        finally:
            self._reel = None
            for x, value in reel.before.values():
                with torch.no_grad():
                    x.copy_(value)
            for one, state in states:
                one.set_state(state)
        self.plays.append(0)
        self._spoilt.clear()

        @torch.no_grad()
        def play() -> None:
            self.plays[number] += 1
            for act in reel.acts:
                act()

        return play

    def teachers(self) -> Branches:
        return IN_LINE

    @contextmanager
    def place(self, number: int, of: int, draws: Draws) -> Iterator[Branches]:
        if self._reel is None:
            assert not any(one is spoilt for one in draws.generators for spoilt in self._spoilt)
        else:
            self._reel.acts.append(lambda: torch.manual_seed(draws.seed))
            torch.manual_seed(draws.seed)
        yield IN_LINE


@pytest.fixture
def tape(monkeypatch: pytest.MonkeyPatch) -> Tape:
    """Let `train` record on a CPU, by a tape."""
    made = Tape()
    monkeypatch.setattr(
        importlib.import_module("sakd.training.fit"), "recorder_for", lambda _device: made
    )
    return made
