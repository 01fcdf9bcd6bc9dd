"""The routers of a study: which of them went on choosing, and for how long."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from sakd.reporting.tables import formats
from sakd.reporting.tables.frames import distilled
from sakd.reporting.tables.kinds import has_router, may_collapse
from sakd.routing.collapse import collapse, transfer_collapse
from sakd.routing.rates import (
    EFFECTIVE_SHARE,
    GATE_RATE,
    LABEL_RATE,
    TRANSFER_RATE,
    TRANSFER_SHARE,
)


@dataclass(frozen=True)
class Router:
    """The fate of the router of a cell, or of the rule that chooses there.

    Attributes:
        state: What it had collapsed to in the last epoch, see `collapse`; empty if it chose.
        epochs: Epochs in which it was in another state.
        trained: Whether it is trained, and no rule.
    """

    state: str
    epochs: int
    trained: bool = True


def routers(cells: pd.DataFrame, history: pd.DataFrame | None) -> dict[str, Router]:
    """Find the routers of the finished ``cells`` that have one, by cell; see `collapse`."""
    routed = distilled(cells)
    routed = routed[routed["policy"].map(may_collapse).astype(bool)]
    found = _states(routed, history, (GATE_RATE, EFFECTIVE_SHARE, LABEL_RATE), collapse)
    policies = dict(zip(routed["cell"], routed["policy"], strict=True))
    return {
        cell: replace(router, trained=has_router(policies[cell])) for cell, router in found.items()
    }


def transfers(cells: pd.DataFrame, history: pd.DataFrame | None) -> dict[str, Router]:
    """Find the learnt strengths of transfer of the finished ``cells``, like `routers`."""
    prefixes = TRANSFER_RATE, TRANSFER_SHARE
    return _states(distilled(cells), history, prefixes, transfer_collapse)


def _states(
    cells: pd.DataFrame,
    history: pd.DataFrame | None,
    prefixes: tuple[str, ...],
    judge: Callable[[Mapping[str, float]], str],
) -> dict[str, Router]:
    """Find the state that ``judge`` names for the rates of each epoch with any."""
    columns = [] if history is None else list(history.columns)
    rates = [name for name in columns if str(name).startswith(prefixes)]
    if history is None or not rates:
        return {}
    rated = history.dropna(subset=rates, how="all").sort_values("epoch")
    found = dict(list(rated.groupby("cell")[rates]))
    names = cells.loc[cells["finished"], "cell"]
    return {str(cell): _router(found[cell], judge) for cell in names if cell in found}


def _router(epochs: pd.DataFrame, judge: Callable[[Mapping[str, float]], str]) -> Router:
    lines = epochs.to_dict("records")
    states = [judge({k: v for k, v in line.items() if not math.isnan(v)}) for line in lines]
    return Router(states[-1], sum(state != states[-1] for state in states))


@dataclass(frozen=True)
class Tally:
    """The routers of several cells.

    Attributes:
        collapsed: How many had stopped choosing.
        number: How many there are.
        mark: In words, ``= always but for 2 to 3 epochs``; empty if all chose to the end.
        trained: Whether all are trained, and no rules.
    """

    collapsed: int
    number: int
    mark: str
    trained: bool = True

    @classmethod
    def of(cls, found: Mapping[str, Router], cells: Iterable[str]) -> Tally:
        """Count the routers of ``cells``; those without one are left out."""
        these = [found[cell] for cell in cells if cell in found]
        stopped = [router for router in these if router.state]
        states = {router.state for router in stopped}
        if stopped and len(stopped) == len(these) and len(states) == 1:
            mark = f"= {states.pop()} but for {_range([each.epochs for each in stopped])}"
        else:
            mark = f"{len(stopped)} of {len(these)} collapsed" if stopped else ""
        return cls(len(stopped), len(these), mark, all(each.trained for each in these))

    @property
    def all_collapsed(self) -> bool:
        """Tell whether none of these routers went on choosing."""
        return self.collapsed == self.number > 0


def _range(epochs: list[int]) -> str:
    low, high = min(epochs), max(epochs)
    return formats.plural(high, "epoch") if low == high else f"{low} to {high} epochs"
